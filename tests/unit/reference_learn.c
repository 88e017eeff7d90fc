#include "reference_learn.h"

#include <stdlib.h>
#include <string.h>

struct reference {
	const struct procedure *p;
	const struct plan *plan;
	const struct value_space *space;
	const struct trace_record *trace;
	size_t count;
	uint64_t min_samples;
	reference_visitor *visit;
	void *context;
};

enum { NOWHERE = -1 };

/* --- What a record says of a variable */

static bool sample(const struct reference *r, size_t t, uint32_t v, int64_t *value)
{
	const struct plan_variable *x = &r->plan->variables[v];
	const struct guest_record *g = &r->trace[t].record;
	if (r->trace[t].point != x->point)
		return false;
	if (x->value < 0) {
		*value = g->sp;
		return true;
	}
	*value = g->value[x->value];
	return !(g->unreadable >> x->value & 1);
}

static bool same_name(const struct guest_record *a, const struct guest_record *b)
{
	return a->cfa && a->cfa == b->cfa && a->pid == b->pid;
}

/* The entry record that began the activation of record t. */
static ptrdiff_t beginning(const struct reference *r, size_t t)
{
	for (ptrdiff_t i = t; i >= 0; i--)
		if (r->plan->points[r->trace[i].point].is_entry && same_name(&r->trace[i].record, &r->trace[t].record))
			return i;
	return NOWHERE;
}

/* --- Single variables */

static bool is_own(const struct reference *r, unsigned size, int64_t v)
{
	return size == 8 && v && (uint64_t)v >= r->space->start && (uint64_t)v < r->space->end;
}

static bool looks_like_pointer(const struct reference *r, unsigned size, int64_t v)
{
	uint64_t low = r->space->mapped_count ? 0x100000000 : 0x100000;
	if (size != 8 || !v)
		return false;
	for (size_t i = 0; i < r->space->mapped_count; i++)
		if ((uint64_t)v >= r->space->mapped[i].start && (uint64_t)v < r->space->mapped[i].end)
			return true;
	bool is_noise = v >= 0x800000000000 || v < -0x800000000000;
	return is_noise || is_own(r, size, v) || ((uint64_t)v >= low && (uint64_t)v < 0x800000000000);
}

/* All values look like pointers, or are 0; and not all are 0. */
static bool is_pointer(const struct reference *r, uint32_t v)
{
	unsigned size = r->plan->variables[v].operand.size;
	bool some = false;
	for (size_t t = 0; t < r->count; t++) {
		int64_t x;
		if (!sample(r, t, v, &x) || !x)
			continue;
		if (!looks_like_pointer(r, size, x))
			return false;
		some = true;
	}
	return some;
}

static uint64_t count_samples(const struct reference *r, uint32_t v)
{
	uint64_t n = 0;
	int64_t x;
	for (size_t t = 0; t < r->count; t++)
		n += sample(r, t, v, &x);
	return n;
}

static struct variable variable_of(const struct reference *r, uint32_t v)
{
	const struct plan_variable *x = &r->plan->variables[v];
	return (struct variable){.at = {r->plan->module, x->offset}, .slot = x->slot, .operand = x->operand};
}

static struct invariant invariant_of(const struct reference *r, enum invariant_kind kind, uint32_t v)
{
	return (struct invariant){.kind = kind, .procedure = r->plan->procedure, .a = variable_of(r, v), .samples = count_samples(r, v)};
}

static int order_values(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

/* The distinct values, own pointers as module offsets. -1: too many, or some that mean nothing elsewhere. No offset equals a number here: the traces see to it. */
static int distinct(const struct reference *r, uint32_t v, int64_t *values, uint8_t *relative)
{
	unsigned size = r->plan->variables[v].operand.size;
	int64_t *all = calloc(r->count + 1, sizeof *all);
	bool *own = calloc(r->count + 1, sizeof *own);
	int n = 0;
	int64_t x;
	for (size_t t = 0; t < r->count && n >= 0; t++) {
		if (!sample(r, t, v, &x))
			continue;
		bool is_relative = is_own(r, size, x);
		int64_t y = is_relative ? x - (int64_t)r->space->bias : x;
		int i = 0;
		while (i < n && (all[i] != y || own[i] != is_relative))
			i++;
		if (i == n) {
			all[n] = y;
			own[n++] = is_relative;
		}
		if (!is_relative && looks_like_pointer(r, size, x))
			n = -1;
	}
	if (n > ONE_OF_MAX)
		n = -1;
	*relative = 0;
	for (int i = 0; i < n; i++)
		values[i] = all[i];
	if (n > 0)
		qsort(values, n, sizeof *values, order_values);
	for (int i = 0; i < n; i++)
		for (int k = 0; k < n; k++)
			if (all[k] == values[i] && own[k])
				*relative |= 1 << i;
	free(all);
	free(own);
	return n;
}

/* -1, -2, .. come before 0, 1, ..; own pointers last. */
static int order_failures(const void *a, const void *b)
{
	const int64_t *x = a, *y = b; /* value, is own */
	if (x[1] != y[1])
		return x[1] - y[1];
	int64_t v = x[0] >= 0x80000000 && x[0] <= 0xffffffff ? (int32_t)x[0] : x[0], w = y[0] >= 0x80000000 && y[0] <= 0xffffffff ? (int32_t)y[0] : y[0];
	if (x[1] || v == w)
		return x[0] < y[0] ? -1 : x[0] > y[0];
	if ((v < 0) != (w < 0))
		return v < 0 ? -1 : 1;
	return v < 0 ? (v > w ? -1 : 1) : (v < w ? -1 : 1);
}

/* The most telling of the distinct values that mean something elsewhere. */
static void learn_returned(const struct reference *r, uint32_t v)
{
	struct invariant i = invariant_of(r, INVARIANT_ONE_OF, v);
	int64_t(*all)[2] = calloc(r->count + 1, sizeof *all), x;
	int n = 0;
	for (size_t t = 0; t < r->count; t++) {
		if (!sample(r, t, v, &x) || (looks_like_pointer(r, 8, x) && !is_own(r, 8, x)))
			continue;
		int64_t entry[2] = {is_own(r, 8, x) ? x - (int64_t)r->space->bias : x, is_own(r, 8, x)};
		int k = 0;
		while (k < n && memcmp(all[k], entry, sizeof entry))
			k++;
		if (k == n)
			memcpy(all[n++], entry, sizeof entry);
	}
	qsort(all, n, sizeof *all, order_failures);
	i.count = n < ONE_OF_MAX ? n : ONE_OF_MAX;
	for (unsigned k = 0; k < i.count; k++)
		i.value[k] = all[k][0];
	qsort(i.value, i.count, sizeof *i.value, order_values);
	for (unsigned k = 0; k < i.count; k++)
		for (unsigned m = 0; m < i.count; m++)
			i.relative |= (all[m][0] == i.value[k] && all[m][1]) << k;
	if (n)
		r->visit(r->context, &i);
	free(all);
}

static void learn_one_of(const struct reference *r, uint32_t v)
{
	struct invariant i = invariant_of(r, INVARIANT_ONE_OF, v);
	int n = distinct(r, v, i.value, &i.relative);
	if (n <= 0)
		return;
	i.count = n;
	r->visit(r->context, &i);
}

static int64_t minimum(const struct reference *r, uint32_t v)
{
	int64_t least = INT64_MAX, x;
	for (size_t t = 0; t < r->count; t++)
		if (sample(r, t, v, &x) && x < least)
			least = x;
	return least;
}

static void learn_lower_bound(const struct reference *r, uint32_t v)
{
	struct invariant i = invariant_of(r, INVARIANT_LOWER_BOUND, v);
	unsigned size = r->plan->variables[v].operand.size;
	i.bound = minimum(r, v);
	if (!is_pointer(r, v) && i.bound > INT64_MIN >> (64 - 8 * size))
		r->visit(r->context, &i);
}

static void learn_sp_offset(const struct reference *r, uint32_t v)
{
	struct invariant i = invariant_of(r, INVARIANT_SP_OFFSET, v);
	int64_t sp;
	i.samples = 0;
	for (size_t t = 0; t < r->count; t++) {
		ptrdiff_t began = sample(r, t, v, &sp) ? beginning(r, t) : NOWHERE;
		if (began == NOWHERE)
			continue;
		int64_t bound = r->trace[began].record.sp - sp;
		if (i.samples++ && bound != i.bound)
			return;
		i.bound = bound;
	}
	if (i.samples >= r->min_samples)
		r->visit(r->context, &i);
}

/* --- Pairs */

/* Whether flow from block b, without passing `without`, reaches `goal`. */
static bool reaches(const struct reference *r, uint32_t b, uint32_t without, uint32_t goal, bool *seen)
{
	if (b == without || seen[b])
		return false;
	if (b == goal)
		return true;
	seen[b] = true;
	const struct block *block = &r->p->blocks[b];
	for (unsigned s = 0; s < block->successor_count; s++)
		if (reaches(r, block->successor[s], without, goal, seen))
			return true;
	for (size_t l = 0; block->ends_indirect && l < r->p->landing_count; l++)
		if (reaches(r, r->p->landings[l], without, goal, seen))
			return true;
	return false;
}

static bool reaches_from_outside(const struct reference *r, uint32_t without, uint32_t goal)
{
	bool *seen = calloc(r->p->block_count, 1), *again = calloc(r->p->block_count, 1);
	bool reached = reaches(r, r->p->entry_block, without, goal, seen);
	for (uint32_t b = 0; b < r->p->block_count && !reached; b++) {
		memset(again, 0, r->p->block_count);
		if (!reaches(r, r->p->entry_block, 0xffffffff, b, again)) {
			memset(again, 0, r->p->block_count);
			reached = reaches(r, b, without, goal, again);
		}
	}
	free(seen);
	free(again);
	return reached;
}

static uint32_t block_of(const struct reference *r, uint64_t offset)
{
	for (uint32_t b = 0; b < r->p->block_count; b++)
		for (uint32_t i = 0; i < r->p->blocks[b].count; i++)
			if (r->p->insns[r->p->blocks[b].first + i].address == offset)
				return b;
	abort();
}

/* u comes before v on every path from the entry to v. */
static bool comes_before(const struct reference *r, const struct plan_variable *u, const struct plan_variable *v)
{
	uint32_t a = block_of(r, u->offset), b = block_of(r, v->offset);
	if (u->offset == v->offset)
		return u->slot < v->slot;
	return a == b ? u->offset < v->offset : !reaches_from_outside(r, a, b);
}

/* u's newest value in the activation of record t, as it was when v was read there. */
static bool newest(const struct reference *r, uint32_t u, uint32_t v, size_t t, int64_t *value)
{
	ptrdiff_t began = beginning(r, t), from = t;
	if (r->plan->variables[u].point == r->plan->variables[v].point && u > v)
		from--;
	if (began == NOWHERE)
		return false;
	for (ptrdiff_t i = from; i >= began; i--)
		if (r->trace[i].point == r->plan->variables[u].point && same_name(&r->trace[i].record, &r->trace[t].record))
			return sample(r, i, u, value);
	return false;
}

/* Said by "u in {.. max}" and "min <= v" already. */
static bool is_implied(const struct reference *r, uint32_t u, uint32_t v)
{
	int64_t values[ONE_OF_MAX];
	uint8_t relative;
	int n = distinct(r, u, values, &relative);
	return n > 0 && !relative && values[n - 1] <= minimum(r, v);
}

static void learn_less_than(const struct reference *r, uint32_t u, uint32_t v)
{
	uint64_t samples = 0;
	bool up = true, down = true;
	for (size_t t = 0; t < r->count && (up || down); t++) {
		int64_t x, y;
		if (!sample(r, t, v, &y) || !newest(r, u, v, t, &x))
			continue;
		samples++;
		up &= x <= y;
		down &= y <= x;
	}
	struct invariant i = {.kind = INVARIANT_LESS_THAN, .procedure = r->plan->procedure, .samples = samples};
	i.a = variable_of(r, u);
	i.b = variable_of(r, v);
	if (samples < r->min_samples)
		return;
	if (up && !is_implied(r, u, v))
		r->visit(r->context, &i);
	i.a_is_later = 1;
	i.a = variable_of(r, v);
	i.b = variable_of(r, u);
	if (down && !is_implied(r, v, u))
		r->visit(r->context, &i);
}

static void learn_pairs(const struct reference *r)
{
	for (uint32_t v = 0; v < r->plan->variable_count; v++) {
		const struct plan_variable *later = &r->plan->variables[v];
		if (later->slot >= SLOT_STACK || is_pointer(r, v) || !count_samples(r, v))
			continue;
		for (uint32_t u = 0; u < r->plan->variable_count; u++) {
			const struct plan_variable *earlier = &r->plan->variables[u];
			if (u != v && earlier->slot < SLOT_STACK && !is_pointer(r, u) && comes_before(r, earlier, later))
				learn_less_than(r, u, v);
		}
	}
}

void reference_learn(const struct procedure *p, const struct plan *plan, const struct value_space *space, const struct trace_record *trace, size_t count,
	uint64_t min_samples, reference_visitor *visit, void *context)
{
	struct reference r = {p, plan, space, trace, count, min_samples, visit, context};
	for (uint32_t v = 0; v < plan->variable_count; v++) {
		if (plan->variables[v].slot == SLOT_STACK) {
			learn_sp_offset(&r, v);
		} else if (count_samples(&r, v) >= min_samples && plan->variables[v].slot == SLOT_RETURN) {
			learn_returned(&r, v);
		} else if (count_samples(&r, v) >= min_samples) {
			learn_one_of(&r, v);
			learn_lower_bound(&r, v);
		}
	}
	learn_pairs(&r);
}
