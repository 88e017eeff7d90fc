#include "learn/plan.h"
#include "learn/predominator.h"
#include "learn/variables.h"

#include <stdlib.h>

#include "base/vec.h"

static void *allocate(size_t count, size_t size)
{
	void *at = calloc(count ? count : 1, size);
	if (!at)
		abort();
	return at;
}

/* --- Points */

struct builder {
	struct plan *plan;
	VEC(struct plan_point) points;
};

static struct plan_point *point_for(struct builder *b, uint64_t offset, bool needs_operand)
{
	struct plan_point *last = b->points.count ? &b->points.at[b->points.count - 1] : NULL;
	bool fits = last && last->offset == offset && !(needs_operand && last->operand_count == PROBE_OPERANDS);
	if (fits)
		return last;
	bool is_first = !last || last->offset != offset;
	struct plan_point point = {.offset = offset, .is_entry = is_first && offset == b->plan->entry_offset};
	vec_push(&b->points, point);
	return &b->points.at[b->points.count - 1];
}

static void add_variable(struct builder *b, uint32_t n, const struct procedure *p, const struct variable_use *use)
{
	struct plan_variable *v = &b->plan->variables[n];
	bool has_operand = use->slot != SLOT_STACK;
	*v = (struct plan_variable){.offset = p->insns[use->insn].address, .slot = use->slot, .value = -1, .operand = use->operand};
	struct plan_point *point = point_for(b, v->offset, has_operand);
	v->point = point - b->points.at;
	if (!point->count++)
		point->first = n;
	if (has_operand)
		v->value = point->operand_count++;
}

static void build_points(struct plan *plan, const struct procedure *p, const struct variables *found)
{
	struct builder b = {.plan = plan};
	plan->variable_count = found->count;
	plan->variables = allocate(found->count, sizeof *plan->variables);
	for (size_t n = 0; n < found->count; n++)
		add_variable(&b, n, p, &found->at[n]);
	plan->points = b.points.at;
	plan->point_count = b.points.count;
}

/* --- Pairs */

struct pairing {
	const struct plan *plan;
	const struct predominators *d;
	VEC(struct plan_pair) pairs;
	size_t limit, left_out;
	uint32_t *first;     /* by block: variables of the block are order[first[b] .. first[b + 1]) */
	uint32_t *order;
	uint32_t *above;     /* by block: the predominator whose turn it is */
};

static bool can_pair(const struct plan_variable *v)
{
	return v->slot < SLOT_STACK;
}

static void add_pair(struct pairing *g, uint32_t earlier, uint32_t later)
{
	if (!can_pair(&g->plan->variables[earlier]) || !can_pair(&g->plan->variables[later]))
		return;
	if (g->pairs.count < g->limit)
		vec_push(&g->pairs, (struct plan_pair){earlier, later});
	else
		g->left_out++;
}

static void group_by_block(struct pairing *g, const struct variables *found, size_t blocks)
{
	g->first = allocate(blocks + 2, sizeof *g->first);
	g->order = allocate(found->count, sizeof *g->order);
	for (size_t n = 0; n < found->count; n++) {
		uint32_t block = predominators_block(g->d, found->at[n].insn);
		if (block != BLOCK_NONE)
			g->first[block + 2]++;
	}
	for (size_t b = 2; b < blocks + 2; b++)
		g->first[b] += g->first[b - 1];
	for (size_t n = 0; n < found->count; n++) {
		uint32_t block = predominators_block(g->d, found->at[n].insn);
		if (block != BLOCK_NONE)
			g->order[g->first[block + 1]++] = n;
	}
}

static void pair_within(struct pairing *g, size_t block)
{
	for (uint32_t later = g->first[block]; later < g->first[block + 1]; later++)
		for (uint32_t earlier = g->first[block]; earlier < later; earlier++)
			add_pair(g, g->order[earlier], g->order[later]);
}

static void pair_between(struct pairing *g, size_t above, size_t block)
{
	for (uint32_t later = g->first[block]; later < g->first[block + 1]; later++)
		for (uint32_t earlier = g->first[above]; earlier < g->first[above + 1]; earlier++)
			add_pair(g, g->order[earlier], g->order[later]);
}

/* One step up the tree for every block. False: all are at the top. */
static bool pair_one_up(struct pairing *g, size_t blocks)
{
	bool some = false;
	for (size_t b = 0; b < blocks; b++) {
		if (g->above[b] != BLOCK_NONE)
			g->above[b] = predominators_parent(g->d, g->above[b]);
		if (g->above[b] == BLOCK_NONE)
			continue;
		some = true;
		pair_between(g, g->above[b], b);
	}
	return some;
}

static int order_pairs(const void *a, const void *b)
{
	const struct plan_pair *x = a, *y = b;
	if (x->later != y->later)
		return x->later < y->later ? -1 : 1;
	return x->earlier < y->earlier ? -1 : x->earlier > y->earlier;
}

static void index_pairs(struct plan *plan)
{
	plan->first_pair = allocate(plan->variable_count + 1, sizeof *plan->first_pair);
	size_t at = 0;
	for (size_t v = 0; v <= plan->variable_count; v++) {
		while (at < plan->pair_count && plan->pairs[at].later < v)
			at++;
		plan->first_pair[v] = at;
	}
}

static void build_pairs(struct plan *plan, const struct procedure *p, const struct variables *found, size_t limit)
{
	struct pairing g = {.plan = plan, .d = predominators_new(p), .limit = limit};
	group_by_block(&g, found, p->block_count);
	g.above = allocate(p->block_count, sizeof *g.above);
	for (size_t b = 0; b < p->block_count; b++) {
		g.above[b] = b;
		pair_within(&g, b);
	}
	while (!g.left_out && pair_one_up(&g, p->block_count))
		;
	if (g.pairs.count)
		qsort(g.pairs.at, g.pairs.count, sizeof *g.pairs.at, order_pairs);
	plan->pairs = g.pairs.at;
	plan->pair_count = g.pairs.count;
	plan->pairs_left_out = g.left_out;
	index_pairs(plan);
	free(g.first);
	free(g.order);
	free(g.above);
	predominators_free((struct predominators *)g.d);
}

int plan_new(const struct procedure *p, size_t max_pairs, struct plan **out)
{
	struct variables found;
	int error = variables_find(p, &found);
	if (error)
		return error;
	struct plan *plan = allocate(1, sizeof *plan);
	plan->module = p->module->key;
	plan->procedure = p->entry;
	plan->entry_offset = p->insns[found.entry].address;
	build_points(plan, p, &found);
	build_pairs(plan, p, &found, max_pairs);
	variables_release(&found);
	*out = plan;
	return 0;
}

unsigned plan_operands(const struct plan *plan, uint32_t point, struct operand out[PROBE_OPERANDS])
{
	const struct plan_point *p = &plan->points[point];
	for (uint32_t v = p->first; v < p->first + p->count; v++)
		if (plan->variables[v].value >= 0)
			out[plan->variables[v].value] = plan->variables[v].operand;
	return p->operand_count;
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	free(plan->variables);
	free(plan->points);
	free(plan->pairs);
	free(plan->first_pair);
	free(plan);
}
