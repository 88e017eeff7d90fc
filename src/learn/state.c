#include "learn/state.h"

#include <stdlib.h>
#include <string.h>

const char *const learn_phase_names[PHASE_COUNT] = {"new", "observe", "confirm", "settled"};

static void *allocate(size_t count, size_t size)
{
	void *at = calloc(count ? count : 1, size);
	if (!at)
		abort();
	return at;
}

void state_release(struct state *s)
{
	for (size_t i = 0; i < s->variable_count; i++)
		tally_release(&s->variables[i].samples);
	for (size_t i = 0; i < s->pair_count; i++)
		tally_release(&s->pairs[i].samples);
	tally_release(&s->executions);
	free(s->variables);
	free(s->pairs);
	s->variables = NULL;
	s->pairs = NULL;
	s->variable_count = s->pair_count = 0;
}

/* --- Merging. Counts are joined, or added where `from` is new. */

typedef void tally_merge(struct tally *into, const struct tally *from);

static void tally_sum(struct tally *into, const struct tally *from)
{
	for (size_t i = 0; i < from->count; i++)
		tally_add(into, from->at[i].node, from->at[i].samples);
}

static int order_variables(const struct state_variable *a, const struct state_variable *b)
{
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return (a->slot > b->slot) - (a->slot < b->slot);
}

static void merge_variable(struct state_variable *into, const struct state_variable *from, tally_merge *merge)
{
	pointer_merge(&into->pointer, &from->pointer);
	if (into->slot == SLOT_RETURN)
		one_of_keep_merge(&into->one_of, &from->one_of);
	else
		one_of_merge(&into->one_of, &from->one_of);
	lower_bound_merge(&into->lower, &from->lower);
	sp_offset_merge(&into->sp, &from->sp);
	merge(&into->samples, &from->samples);
}

static struct state_variable copy_variable(const struct state_variable *from)
{
	struct state_variable v = *from;
	v.samples = (struct tally){0};
	tally_join(&v.samples, &from->samples);
	return v;
}

/* Merges the sorted arrays; old_of and new_of map former indices to those of the result. */
static void merge_variables(struct state *into, const struct state *from, tally_merge *merge, uint32_t *old_of, uint32_t *new_of)
{
	struct state_variable *all = allocate(into->variable_count + from->variable_count, sizeof *all);
	size_t i = 0, j = 0, n = 0;
	while (i < into->variable_count || j < from->variable_count) {
		int order = i == into->variable_count ? 1 : j == from->variable_count ? -1
			: order_variables(&into->variables[i], &from->variables[j]);
		all[n] = order <= 0 ? into->variables[i] : copy_variable(&from->variables[j]);
		if (!order)
			merge_variable(&all[n], &from->variables[j], merge);
		if (order <= 0)
			old_of[i++] = n;
		if (order >= 0)
			new_of[j++] = n;
		n++;
	}
	free(into->variables);
	into->variables = all;
	into->variable_count = n;
}

static int order_pairs(const struct state_pair *a, const struct state_pair *b)
{
	if (a->later != b->later)
		return a->later < b->later ? -1 : 1;
	return (a->earlier > b->earlier) - (a->earlier < b->earlier);
}

static void forget_dropped(struct state_pair *p)
{
	if (p->less.dropped == LESS_BOTH)
		tally_release(&p->samples);
}

static struct state_pair mapped_pair(const struct state_pair *p, const uint32_t *map)
{
	struct state_pair q = *p;
	q.earlier = map[p->earlier];
	q.later = map[p->later];
	return q;
}

static struct state_pair copy_pair(const struct state_pair *p)
{
	struct state_pair q = *p;
	q.samples = (struct tally){0};
	tally_join(&q.samples, &p->samples);
	return q;
}

/* The maps are ascending, so the arrays stay sorted. */
static void merge_pairs(struct state *into, const struct state *from, tally_merge *merge, const uint32_t *old_of, const uint32_t *new_of)
{
	struct state_pair *all = allocate(into->pair_count + from->pair_count, sizeof *all);
	size_t i = 0, j = 0, n = 0;
	while (i < into->pair_count || j < from->pair_count) {
		struct state_pair old = {0}, new = {0};
		if (i < into->pair_count)
			old = mapped_pair(&into->pairs[i], old_of);
		if (j < from->pair_count)
			new = mapped_pair(&from->pairs[j], new_of);
		int order = i == into->pair_count ? 1 : j == from->pair_count ? -1 : order_pairs(&old, &new);
		all[n] = order <= 0 ? old : copy_pair(&new);
		if (!order) {
			less_than_merge(&all[n].less, &new.less);
			merge(&all[n].samples, &new.samples);
		}
		i += order <= 0;
		j += order >= 0;
		forget_dropped(&all[n++]);
	}
	free(into->pairs);
	into->pairs = all;
	into->pair_count = n;
}

static void merge_states(struct state *into, const struct state *from, tally_merge *merge)
{
	uint32_t *old_of = allocate(into->variable_count, sizeof *old_of), *new_of = allocate(from->variable_count, sizeof *new_of);
	if (from->phase > into->phase)
		into->phase = from->phase;
	if (from->visits > into->visits)
		into->visits = from->visits;
	merge(&into->executions, &from->executions);
	merge_variables(into, from, merge, old_of, new_of);
	merge_pairs(into, from, merge, old_of, new_of);
	free(old_of);
	free(new_of);
}

void state_join(struct state *into, const struct state *from)
{
	merge_states(into, from, tally_join);
}

void state_add(struct state *into, const struct state *from)
{
	merge_states(into, from, tally_sum);
}
