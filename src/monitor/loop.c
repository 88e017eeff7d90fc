#include "monitor/loop_private.h"

#include "base/vec.h"

enum { SLICES_MAX = 8, BYTES_MAX = 1 << 15, SPACINGS = 4, ANCHORS = 8 };

struct loop_trace {
	VEC(struct loop_step) steps;
	struct { uint64_t address; bool used, needed, seen; uint8_t value; } byte[BYTES_MAX];
	size_t byte_count;
};

/* An iteration: steps [first, last), and the next one, [last, end). */
struct iteration {
	size_t first, last, end;
};

struct loop_trace *loop_new(void)
{
	struct loop_trace *t = calloc(1, sizeof *t);
	if (!t)
		abort();
	return t;
}

void loop_free(struct loop_trace *t)
{
	if (t)
		vec_free(&t->steps);
	free(t);
}

bool loop_record(struct loop_trace *t, const struct cfi_registers *r, const uint64_t segments[2], const uint8_t *bytes, size_t available,
		 cfi_read *read, void *context)
{
	struct loop_step s;
	bool known = loop_effects(r, segments, bytes, available, &s);
	for (int n = 0; known && n < ACCESSES_MAX; n++)
		if (s.access[n].is_load)
			known = s.access[n].may_not || read(context, s.access[n].address, s.access[n].value, s.access[n].size) == s.access[n].size;
	if (known)
		vec_push(&t->steps, s);
	else
		t->steps.count = 0;
	return known;
}

/* --- The bytes of memory that matter: a hash table with open addresses. */

static size_t slot_of(struct loop_trace *t, uint64_t address)
{
	size_t at = address * 0x9e3779b97f4a7c15ull >> 49;
	while (t->byte[at].used && t->byte[at].address != address)
		at = (at + 1) % BYTES_MAX;
	return at;
}

static bool is_needed(struct loop_trace *t, uint64_t address)
{
	size_t at = slot_of(t, address);
	return t->byte[at].used && t->byte[at].needed;
}

/* False: too many. */
static bool set_needed(struct loop_trace *t, uint64_t address, bool needed)
{
	size_t at = slot_of(t, address);
	if (!t->byte[at].used && (!needed || t->byte_count >= BYTES_MAX / 2))
		return !needed;
	if (!t->byte[at].used)
		t->byte_count++;
	t->byte[at].used = true;
	t->byte[at].address = address;
	t->byte[at].needed = needed;
	return true;
}

static void forget_bytes(struct loop_trace *t)
{
	memset(t->byte, 0, sizeof t->byte);
	t->byte_count = 0;
}

/* --- The slice. */

static bool stores_needed(struct loop_trace *t, const struct loop_access *a)
{
	for (unsigned i = 0; a->is_store && i < a->size; i++)
		if (is_needed(t, a->address + i))
			return true;
	return false;
}

static bool step_back(struct loop_trace *t, const struct loop_step *s, uint64_t *needed)
{
	bool matters = s->decides || s->writes & *needed;
	bool fits = true;
	for (int n = 0; n < ACCESSES_MAX; n++)
		matters |= stores_needed(t, &s->access[n]);
	if (matters) {
		*needed = (*needed & ~s->kills) | s->reads;
		for (int n = 0; n < ACCESSES_MAX; n++)
			for (unsigned i = 0; s->access[n].is_store && !s->access[n].may_not && i < s->access[n].size; i++)
				set_needed(t, s->access[n].address + i, false);
		for (int n = 0; n < ACCESSES_MAX; n++)
			for (unsigned i = 0; s->access[n].is_load && i < s->access[n].size; i++)
				fits &= set_needed(t, s->access[n].address + i, true);
	}
	*needed |= s->addresses;
	return fits;
}

static size_t needed_bytes(const struct loop_trace *t)
{
	size_t count = 0;
	for (size_t i = 0; i < BYTES_MAX; i++)
		count += t->byte[i].used && t->byte[i].needed;
	return count;
}

/* What one iteration needs to go as it does, and to leave what the next one needs. Grows with every round until it no longer does. */
static bool slice(struct loop_trace *t, const struct iteration *it, uint64_t *needed)
{
	size_t bytes = 0;
	forget_bytes(t);
	*needed = 0;
	for (int round = 0; round < SLICES_MAX; round++) {
		uint64_t before = *needed;
		for (size_t n = it->last; n-- > it->first;)
			if (!step_back(t, &t->steps.at[n], needed))
				return false;
		*needed |= before;
		size_t now = needed_bytes(t);
		if (*needed == before && now == bytes)
			return true;
		bytes = now;
	}
	return false;
}

/* --- Are the values the same at both ends? */

static bool same_registers(const struct cfi_registers *a, const struct cfi_registers *b, uint64_t needed)
{
	enum { STATUS = 0x8d5, DIRECTION = 0x400 };
	if (needed >= PLACE(PLACE_VECTOR))
		return false; /* not recorded; a loop that carries a decision in one is left alone */
	for (int i = 0; i < REG_COUNT; i++)
		if (needed & PLACE(i) && a->general[i] != b->general[i])
			return false;
	return !(needed & PLACE(PLACE_FLAGS)) || !((a->rflags ^ b->rflags) & (STATUS | DIRECTION));
}

/* The first load of a needed byte in each of two iterations sees the same. */
static void note_first_loads(struct loop_trace *t, const struct loop_step *s)
{
	for (int n = 0; n < ACCESSES_MAX; n++)
		for (unsigned i = 0; s->access[n].is_load && i < s->access[n].size; i++) {
			size_t at = slot_of(t, s->access[n].address + i);
			if (!t->byte[at].used || !t->byte[at].needed || t->byte[at].seen)
				continue;
			t->byte[at].seen = true;
			t->byte[at].value = s->access[n].value[i];
		}
}

static bool same_first_loads(struct loop_trace *t, const struct loop_step *s)
{
	for (int n = 0; n < ACCESSES_MAX; n++)
		for (unsigned i = 0; s->access[n].is_load && i < s->access[n].size; i++) {
			size_t at = slot_of(t, s->access[n].address + i);
			if (!t->byte[at].used || !t->byte[at].needed || !t->byte[at].seen)
				continue;
			if (t->byte[at].value != s->access[n].value[i])
				return false;
			t->byte[at].seen = false;
		}
	return true;
}

static bool same_memory(struct loop_trace *t, const struct iteration *it)
{
	for (size_t n = it->first; n < it->last; n++)
		note_first_loads(t, &t->steps.at[n]);
	for (size_t n = it->last; n < it->end; n++)
		if (!same_first_loads(t, &t->steps.at[n]))
			return false;
	for (size_t i = 0; i < BYTES_MAX; i++)
		if (t->byte[i].used && t->byte[i].needed && t->byte[i].seen)
			return false; /* the second iteration never looked */
	return true;
}

static bool is_endless(struct loop_trace *t, const struct iteration *it)
{
	uint64_t needed;
	for (size_t n = 0; it->first + n < it->last; n++)
		if (it->last + n >= it->end || t->steps.at[it->first + n].r.rip != t->steps.at[it->last + n].r.rip)
			return false;
	return it->end - it->last == it->last - it->first && slice(t, it, &needed) &&
	       same_registers(&t->steps.at[it->first].r, &t->steps.at[it->last].r, needed) && same_memory(t, it);
}

/* --- Where an iteration begins. */

static uint64_t highest_rsp(const struct loop_trace *t, size_t first, size_t end)
{
	uint64_t highest = 0;
	for (size_t n = first; n < end; n++)
		if (t->steps.at[n].r.general[REG_RSP] > highest)
			highest = t->steps.at[n].r.general[REG_RSP];
	return highest;
}

/* Earlier steps at the same place on the same stack, the latest first. */
static size_t visits(const struct loop_trace *t, size_t from, size_t *out, size_t max)
{
	const struct loop_step *s = &t->steps.at[from];
	size_t count = 0;
	for (size_t n = from; n-- > 0 && count < max;)
		if (t->steps.at[n].r.rip == s->r.rip && t->steps.at[n].r.general[REG_RSP] == s->r.general[REG_RSP])
			out[count++] = n;
	return count;
}

static void tell(const struct loop_trace *t, const struct iteration *it, struct loop_found *out)
{
	out->length = it->last - it->first;
	out->rsp = highest_rsp(t, it->first, it->last);
	out->lowest = ~0ull;
	for (size_t n = it->first; n < it->last; n++)
		if (t->steps.at[n].r.general[REG_RSP] == out->rsp && t->steps.at[n].r.rip < out->lowest)
			out->lowest = t->steps.at[n].r.rip;
}

static bool prove_at(struct loop_trace *t, size_t anchor, struct loop_found *out)
{
	size_t seen[2 * SPACINGS];
	size_t count = visits(t, anchor, seen, 2 * SPACINGS);
	for (size_t k = 1; 2 * k <= count; k++) {
		struct iteration it = {seen[2 * k - 1], seen[k - 1], anchor};
		if (is_endless(t, &it)) {
			tell(t, &it, out);
			return true;
		}
	}
	return false;
}

bool loop_prove(struct loop_trace *t, struct loop_found *out)
{
	size_t count = t->steps.count, tried = 0;
	uint64_t top = highest_rsp(t, count / 2, count);
	uint64_t last_rip = 0;
	/* The loop that encloses all others has the highest stack pointer. */
	for (size_t n = count; n-- > count / 2 && tried < ANCHORS;) {
		if (t->steps.at[n].r.general[REG_RSP] != top || t->steps.at[n].r.rip == last_rip)
			continue;
		last_rip = t->steps.at[n].r.rip;
		tried++;
		if (prove_at(t, n, out))
			return true;
	}
	return false;
}
