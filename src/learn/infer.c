#include "learn/infer.h"
#include "learn/activation.h"

#include <stdlib.h>
#include <string.h>

/* A variable's hypotheses. */
struct cell {
	struct pointer_class pointer;
	struct one_of one_of;
	struct lower_bound lower;
	struct sp_offset sp;
	uint64_t samples;
};

struct pair_cell {
	struct less_than less;
	bool seen;
	uint32_t samples; /* saturates */
};

struct infer {
	const struct plan *plan;
	struct cell *cells;        /* by variable */
	struct pair_cell *pairs;   /* by pair */
	uint32_t *alive;           /* pairs with a direction left: those of variable v are alive[first_pair[v] ..] */
	uint32_t *alive_count;     /* by variable */
	uint64_t *counts;          /* records since infer_limit, by point */
	struct activations *activations;
	size_t activations_max;
	uint64_t entry_limit, point_limit;
	uint64_t executions, records;
	uint32_t entry_point;
};

static void *allocate(size_t count, size_t size)
{
	void *at = calloc(count ? count : 1, size);
	if (!at)
		abort();
	return at;
}

struct infer *infer_new(const struct plan *plan, size_t activations)
{
	struct infer *f = allocate(1, sizeof *f);
	f->plan = plan;
	f->cells = allocate(plan->variable_count, sizeof *f->cells);
	f->pairs = allocate(plan->pair_count, sizeof *f->pairs);
	f->alive = allocate(plan->pair_count, sizeof *f->alive);
	f->alive_count = allocate(plan->variable_count, sizeof *f->alive_count);
	f->counts = allocate(plan->point_count, sizeof *f->counts);
	f->activations_max = activations;
	f->activations = activations_new(plan->variable_count, activations);
	for (size_t p = 0; p < plan->pair_count; p++)
		f->alive[p] = p;
	for (size_t v = 0; v < plan->variable_count; v++)
		f->alive_count[v] = plan->first_pair[v + 1] - plan->first_pair[v];
	for (size_t p = 0; p < plan->point_count; p++)
		if (plan->points[p].is_entry)
			f->entry_point = p;
	return f;
}

void infer_free(struct infer *f)
{
	if (!f)
		return;
	activations_free(f->activations);
	free(f->cells);
	free(f->pairs);
	free(f->alive);
	free(f->alive_count);
	free(f->counts);
	free(f);
}

size_t infer_size(const struct infer *f)
{
	const struct plan *p = f->plan;
	size_t activation = p->variable_count * 8 + p->variable_count / 8 + 64;
	return sizeof *f + p->variable_count * (sizeof *f->cells + 4 + sizeof *p->variables)
		+ p->pair_count * (sizeof *f->pairs + 4 + sizeof *p->pairs) + p->point_count * (8 + sizeof *p->points) + f->activations_max * activation;
}

void infer_limit(struct infer *f, uint64_t entry_limit, uint64_t point_limit)
{
	f->entry_limit = entry_limit;
	f->point_limit = point_limit;
	memset(f->counts, 0, f->plan->point_count * sizeof *f->counts);
	activations_forget_all(f->activations);
}

void infer_lost(struct infer *f)
{
	activations_forget_all(f->activations);
}

static bool has_rested(const struct infer *f, uint32_t point)
{
	uint64_t limit = f->plan->points[point].is_entry ? f->entry_limit : f->point_limit;
	return limit && f->counts[point] >= limit;
}

/* --- Pairs */

static void kill_pair(struct infer *f, uint32_t later, uint32_t at)
{
	uint32_t *alive = f->alive + f->plan->first_pair[later];
	alive[at] = alive[--f->alive_count[later]];
}

static bool compare_pair(struct infer *f, uint32_t pair, int64_t value)
{
	const struct plan *plan = f->plan;
	uint32_t earlier = plan->pairs[pair].earlier, here = plan->variables[plan->pairs[pair].later].point;
	uint32_t point = plan->variables[earlier].point;
	int64_t other;
	if ((point != here && has_rested(f, point)) || !activations_get(f->activations, earlier, &other))
		return false;
	struct pair_cell *cell = &f->pairs[pair];
	bool is_first = !cell->seen;
	cell->seen = true;
	cell->samples += cell->samples != UINT32_MAX;
	return less_than_observe(&cell->less, other, value) && !is_first;
}

static bool compare_all(struct infer *f, uint32_t later, int64_t value)
{
	const uint32_t *alive = f->alive + f->plan->first_pair[later];
	bool changed = false;
	for (uint32_t i = 0; i < f->alive_count[later];) {
		uint32_t pair = alive[i];
		changed |= compare_pair(f, pair, value);
		if (f->pairs[pair].less.dropped == LESS_BOTH)
			kill_pair(f, later, i);
		else
			i++;
	}
	return changed;
}

/* --- Single variables */

static bool observe_value(struct cell *c, unsigned size, int64_t value, const struct value_space *space)
{
	enum value_class kind = value_classify(space, size, value);
	bool is_first = !c->lower.seen;
	c->samples++;
	bool changed = one_of_observe(&c->one_of, kind, value, space->bias);
	bool lower = lower_bound_observe(&c->lower, value);
	pointer_observe(&c->pointer, kind, value);
	return !is_first && (changed || (lower && !pointer_is(&c->pointer)));
}

static void observe_return(struct cell *c, int64_t value, const struct value_space *space)
{
	c->samples++;
	one_of_keep(&c->one_of, value_classify(space, 8, value), value, space->bias);
}

static bool observe_stack(struct infer *f, struct cell *c, uint64_t sp, bool in_activation)
{
	if (!in_activation)
		return false;
	bool is_first = !c->sp.seen && !c->sp.dropped;
	c->samples++;
	return sp_offset_observe(&c->sp, activations_entry_sp(f->activations) - sp) && !is_first;
}

static bool observe_variable(struct infer *f, uint32_t n, const struct guest_record *r, const struct value_space *space, bool in_activation)
{
	const struct plan_variable *v = &f->plan->variables[n];
	if (v->value < 0)
		return observe_stack(f, &f->cells[n], r->sp, in_activation);
	if (r->unreadable >> v->value & 1) {
		if (in_activation)
			activations_clear(f->activations, n);
		return false;
	}
	int64_t value = r->value[v->value];
	if (v->slot == SLOT_RETURN) {
		observe_return(&f->cells[n], value, space);
		return false;
	}
	bool changed = observe_value(&f->cells[n], v->operand.size, value, space);
	if (in_activation) {
		changed |= compare_all(f, n, value);
		activations_set(f->activations, n, value);
	}
	return changed;
}

static bool select_activation(struct infer *f, const struct plan_point *point, const struct guest_record *r)
{
	if (!r->cfa || has_rested(f, f->entry_point))
		return false;
	if (!point->is_entry)
		return activations_select(f->activations, r->pid, r->cfa);
	activations_enter(f->activations, r->pid, r->cfa, r->sp);
	return true;
}

bool infer_record(struct infer *f, uint32_t point, const struct value_space *space, const struct guest_record *r)
{
	if (point >= f->plan->point_count)
		return false;
	const struct plan_point *p = &f->plan->points[point];
	bool changed = false, in_activation = select_activation(f, p, r);
	for (uint32_t v = p->first; v < p->first + p->count; v++)
		changed |= observe_variable(f, v, r, space, in_activation);
	f->counts[point]++;
	f->records++;
	f->executions += p->is_entry;
	return changed;
}

void infer_begin_epoch(struct infer *f)
{
	for (size_t v = 0; v < f->plan->variable_count; v++)
		f->cells[v].samples = 0;
	for (size_t p = 0; p < f->plan->pair_count; p++)
		f->pairs[p].samples = 0;
	f->executions = f->records = 0;
}

/* --- Results */

uint64_t infer_executions(const struct infer *f)
{
	return f->executions;
}

uint64_t infer_records(const struct infer *f)
{
	return f->records;
}

static bool is_variable_alive(const struct infer *f, uint32_t n)
{
	const struct cell *c = &f->cells[n];
	if (f->plan->variables[n].slot == SLOT_STACK)
		return !c->sp.dropped;
	return !c->one_of.dropped || !pointer_is(&c->pointer);
}

bool infer_point_alive(const struct infer *f, uint32_t point)
{
	const struct plan_point *p = &f->plan->points[point];
	for (uint32_t v = p->first; v < p->first + p->count; v++)
		if (is_variable_alive(f, v))
			return true;
	return p->is_entry;
}

static void export_variable(const struct infer *f, uint32_t n, uint64_t node, struct state_variable *out)
{
	const struct plan_variable *v = &f->plan->variables[n];
	const struct cell *c = &f->cells[n];
	*out = (struct state_variable){
		.offset = v->offset, .slot = v->slot, .operand = v->operand,
		.pointer = c->pointer, .one_of = c->one_of, .lower = c->lower, .sp = c->sp,
	};
	tally_add(&out->samples, node, c->samples);
}

static void export_pair(const struct infer *f, uint32_t n, uint64_t node, struct state_pair *out)
{
	*out = (struct state_pair){f->plan->pairs[n].earlier, f->plan->pairs[n].later, f->pairs[n].less, {0}};
	if (out->less.dropped != LESS_BOTH)
		tally_add(&out->samples, node, f->pairs[n].samples);
}

/* Variables and pairs without samples are in no state; `number` gives the others' indices. */
static void export_all(const struct infer *f, uint64_t node, struct state *out)
{
	const struct plan *plan = f->plan;
	uint32_t *number = allocate(plan->variable_count, sizeof *number);
	out->variables = allocate(plan->variable_count, sizeof *out->variables);
	out->pairs = allocate(plan->pair_count, sizeof *out->pairs);
	tally_add(&out->executions, node, f->executions);
	for (uint32_t v = 0; v < plan->variable_count; v++)
		if (f->cells[v].samples) {
			number[v] = out->variable_count;
			export_variable(f, v, node, &out->variables[out->variable_count++]);
		}
	for (uint32_t p = 0; p < plan->pair_count; p++)
		if (f->pairs[p].samples) {
			struct state_pair *pair = &out->pairs[out->pair_count++];
			export_pair(f, p, node, pair);
			pair->earlier = number[pair->earlier];
			pair->later = number[pair->later];
		}
	free(number);
}

void infer_add_to(const struct infer *f, uint64_t node, struct state *into)
{
	struct state epoch = {.module = f->plan->module, .procedure = f->plan->procedure};
	export_all(f, node, &epoch);
	into->module = epoch.module;
	into->procedure = epoch.procedure;
	state_add(into, &epoch);
	state_release(&epoch);
}
