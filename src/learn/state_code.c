/* States as bytes: a version, then unsigned LEB128 numbers (signed ones zigzag), offsets and indices as differences. Decoding trusts nothing: what it
 * accepts keeps all orders and limits that merging relies on. */
#include "learn/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

enum { STATE_VERSION = 1 };

/* --- Writing */

struct writer {
	VEC(uint8_t) bytes;
};

static void put(struct writer *w, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		vec_push(&w->bytes, value | 0x80);
	vec_push(&w->bytes, value);
}

static void put_signed(struct writer *w, int64_t value)
{
	put(w, (uint64_t)value << 1 ^ (value < 0 ? ~0ull : 0));
}

static void put_raw(struct writer *w, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		vec_push(&w->bytes, ((const uint8_t *)bytes)[i]);
}

static void put_tally(struct writer *w, const struct tally *t)
{
	put(w, t->count);
	for (size_t i = 0; i < t->count; i++) {
		put(w, t->at[i].node);
		put(w, t->at[i].samples);
	}
}

static void put_operand(struct writer *w, const struct operand *o)
{
	uint8_t fields[] = {o->kind, o->size, o->reg, o->high_byte, o->base, o->index, o->scale, o->segment, o->module_relative};
	put_raw(w, fields, sizeof fields);
	put_signed(w, o->displacement);
}

static void put_variable(struct writer *w, const struct state_variable *v, uint64_t before)
{
	put(w, v->offset - before);
	put(w, v->slot);
	put_operand(w, &v->operand);
	put(w, v->pointer.seen_pointer | v->pointer.seen_number << 1 | v->one_of.dropped << 2 | v->lower.seen << 3 | v->sp.seen << 4 | v->sp.dropped << 5);
	put(w, v->one_of.count);
	put(w, v->one_of.relative);
	for (unsigned i = 0; i < v->one_of.count; i++)
		put_signed(w, v->one_of.value[i]);
	put_signed(w, v->lower.bound);
	put_signed(w, v->sp.bound);
	put_tally(w, &v->samples);
}

void state_encode(const struct state *s, void **out, size_t *size)
{
	struct writer w = {0};
	put(&w, STATE_VERSION);
	put_raw(&w, s->module.hex, sizeof s->module.hex);
	put(&w, s->procedure);
	put(&w, s->phase);
	put(&w, s->visits);
	put_tally(&w, &s->executions);
	put(&w, s->variable_count);
	for (size_t i = 0; i < s->variable_count; i++)
		put_variable(&w, &s->variables[i], i ? s->variables[i - 1].offset : 0);
	put(&w, s->pair_count);
	for (size_t i = 0; i < s->pair_count; i++) {
		put(&w, s->pairs[i].later - (i ? s->pairs[i - 1].later : 0));
		put(&w, s->pairs[i].earlier);
		put(&w, s->pairs[i].less.dropped);
		put_tally(&w, &s->pairs[i].samples);
	}
	*out = w.bytes.at;
	*size = w.bytes.count;
}

/* --- Reading: a damaged input sets `bad`, from then on everything reads as 0. */

struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static uint64_t get(struct reader *r)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
		uint8_t byte = *r->at++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return r->bad ? 0 : value;
	}
	r->bad = true;
	return 0;
}

static int64_t get_signed(struct reader *r)
{
	uint64_t value = get(r);
	return (int64_t)(value >> 1 ^ -(value & 1));
}

static uint64_t get_below(struct reader *r, uint64_t limit)
{
	uint64_t value = get(r);
	r->bad |= value >= limit;
	return r->bad ? 0 : value;
}

static void get_raw(struct reader *r, void *out, size_t size)
{
	memset(out, 0, size);
	if (r->bad || (size_t)(r->end - r->at) < size) {
		r->bad = true;
		return;
	}
	memcpy(out, r->at, size);
	r->at += size;
}

/* A count of things of at least one byte each: bounds what is allocated for it. */
static size_t get_count(struct reader *r)
{
	return get_below(r, r->end - r->at + 1);
}

static void *allocate(size_t count, size_t size)
{
	void *at = calloc(count ? count : 1, size);
	if (!at)
		abort();
	return at;
}

static void get_tally(struct reader *r, struct tally *t)
{
	size_t count = get_count(r);
	if (!count)
		return;
	t->at = allocate(count, sizeof *t->at);
	t->count = count;
	for (size_t i = 0; i < count; i++) {
		t->at[i].node = get(r);
		t->at[i].samples = get(r);
		r->bad |= i && t->at[i - 1].node >= t->at[i].node;
	}
}

static bool is_register(uint8_t r)
{
	return r < REG_COUNT || r == REG_NONE;
}

static void get_operand(struct reader *r, struct operand *o)
{
	uint8_t f[9];
	get_raw(r, f, sizeof f);
	*o = (struct operand){f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], {0}, get_signed(r)};
	bool sized = o->size == 1 || o->size == 2 || o->size == 4 || o->size == 8;
	bool known = o->kind >= OPERAND_REGISTER && o->kind <= OPERAND_MEMORY && o->segment <= SEGMENT_GS && o->module_relative <= 1 && o->high_byte <= 1;
	bool registers = is_register(o->reg) && is_register(o->base) && is_register(o->index) && (o->kind != OPERAND_REGISTER || o->reg < REG_COUNT);
	r->bad |= !sized || !known || !registers;
}

static void get_one_of(struct reader *r, struct one_of *o)
{
	o->count = get_below(r, ONE_OF_MAX + 1);
	o->relative = get_below(r, 1u << o->count);
	r->bad |= o->dropped && o->count;
	for (unsigned i = 0; i < o->count; i++) {
		o->value[i] = get_signed(r);
		bool ascends = !i || o->value[i - 1] < o->value[i]
			|| (o->value[i - 1] == o->value[i] && (o->relative >> (i - 1) & 3) == 2);
		r->bad |= !ascends;
	}
}

static void get_variable(struct reader *r, struct state_variable *v, const struct state_variable *before)
{
	v->offset = get(r) + (before ? before->offset : 0);
	v->slot = get_below(r, SLOT_RETURN + 1);
	r->bad |= before && (v->offset < before->offset || (v->offset == before->offset && v->slot <= before->slot));
	get_operand(r, &v->operand);
	unsigned flags = get_below(r, 1 << 6);
	v->pointer = (struct pointer_class){flags & 1, flags >> 1 & 1};
	v->one_of.dropped = flags >> 2 & 1;
	get_one_of(r, &v->one_of);
	r->bad |= v->slot == SLOT_RETURN && v->one_of.dropped;
	v->lower = (struct lower_bound){flags >> 3 & 1, get_signed(r)};
	v->sp = (struct sp_offset){flags >> 4 & 1, flags >> 5 & 1, get_signed(r)};
	r->bad |= (v->sp.seen && v->sp.dropped) || (!v->sp.seen && v->sp.bound) || (!v->lower.seen && v->lower.bound);
	get_tally(r, &v->samples);
}

static void get_pair(struct reader *r, struct state_pair *p, const struct state_pair *before, size_t variables)
{
	p->later = get_below(r, variables) + (before ? before->later : 0);
	p->earlier = get_below(r, variables);
	r->bad |= p->later >= variables || p->later == p->earlier;
	r->bad |= before && p->later == before->later && p->earlier <= before->earlier;
	p->less.dropped = get_below(r, LESS_BOTH + 1);
	get_tally(r, &p->samples);
	r->bad |= p->less.dropped == LESS_BOTH && p->samples.count;
}

static void get_state(struct reader *r, struct state *s)
{
	get_raw(r, s->module.hex, sizeof s->module.hex);
	r->bad |= s->module.hex[sizeof s->module.hex - 1];
	s->procedure = get(r);
	s->phase = get_below(r, PHASE_COUNT);
	s->visits = get_below(r, 1ull << 32);
	get_tally(r, &s->executions);
	size_t variables = get_count(r);
	s->variables = allocate(variables, sizeof *s->variables);
	for (; s->variable_count < variables && !r->bad; s->variable_count++)
		get_variable(r, &s->variables[s->variable_count], s->variable_count ? &s->variables[s->variable_count - 1] : NULL);
	size_t pairs = get_count(r);
	s->pairs = allocate(pairs, sizeof *s->pairs);
	for (; s->pair_count < pairs && !r->bad; s->pair_count++)
		get_pair(r, &s->pairs[s->pair_count], s->pair_count ? &s->pairs[s->pair_count - 1] : NULL, variables);
	r->bad |= r->at != r->end;
}

int state_decode(const void *bytes, size_t size, struct state *out)
{
	struct reader r = {bytes, (const uint8_t *)bytes + size, false};
	*out = (struct state){0};
	if (get(&r) != STATE_VERSION)
		return r.bad ? -EBADMSG : -ESTALE;
	get_state(&r, out);
	if (!r.bad)
		return 0;
	state_release(out);
	*out = (struct state){0};
	return -EBADMSG;
}
