/* Dominators by Cooper, Harvey and Kennedy ("A simple, fast dominance algorithm"); queries by pre- and postorder numbers in the tree. */
#include "learn/predominator.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

struct edge {
	uint32_t from, to;
};

/* Nodes are blocks, and one more, the root, from which control enters. */
struct predominators {
	size_t block_count, insn_count;
	uint32_t *block_of;   /* by instruction */
	uint32_t *parent;     /* by node: immediate dominator */
	uint32_t *enter, *leave; /* by node: intervals nest as the tree does */
};

/* What only the computation needs. */
struct graph {
	size_t nodes;
	uint32_t root;
	VEC(struct edge) edges;
	uint32_t *first, *adjacent; /* successors of n: adjacent[first[n] .. first[n + 1]) */
	uint32_t *before, *previous; /* predecessors, likewise */
	uint32_t *order;      /* reverse postorder: order[i] is a node */
	uint32_t *rank;       /* its inverse */
	size_t ordered;
};

static void *allocate(size_t count, size_t size)
{
	void *at = calloc(count ? count : 1, size);
	if (!at)
		abort();
	return at;
}

/* --- The control-flow graph */

static void known_edges(const struct procedure *p, edge_visitor *visit, void *context)
{
	for (size_t b = 0; b < p->block_count; b++) {
		const struct block *block = &p->blocks[b];
		for (unsigned s = 0; s < block->successor_count; s++)
			visit(context, b, block->successor[s]);
		for (size_t l = 0; block->ends_indirect && l < p->landing_count; l++)
			visit(context, b, p->landings[l]);
	}
}

static void add_edge(void *context, uint32_t from, uint32_t to)
{
	struct graph *g = context;
	if (from == BLOCK_NONE)
		from = g->root;
	if (from < g->nodes && to < g->nodes)
		vec_push(&g->edges, (struct edge){from, to});
}

/* Counting sort of the edges by one end. */
static void make_lists(const struct graph *g, bool by_target, uint32_t **first, uint32_t **list)
{
	*first = allocate(g->nodes + 2, sizeof **first);
	*list = allocate(g->edges.count, sizeof **list);
	for (size_t e = 0; e < g->edges.count; e++)
		(*first)[(by_target ? g->edges.at[e].to : g->edges.at[e].from) + 2]++;
	for (size_t n = 2; n < g->nodes + 2; n++)
		(*first)[n] += (*first)[n - 1];
	for (size_t e = 0; e < g->edges.count; e++) {
		struct edge edge = g->edges.at[e];
		uint32_t at = (*first)[(by_target ? edge.to : edge.from) + 1]++;
		(*list)[at] = by_target ? edge.from : edge.to;
	}
}

/* Depth first from the root, without recursion: procedures can be large. */
static void order_nodes(struct graph *g)
{
	uint32_t *stack = allocate(g->nodes, sizeof *stack), *next = allocate(g->nodes, sizeof *next);
	bool *seen = allocate(g->nodes, sizeof *seen);
	size_t depth = 0;
	g->ordered = 0;
	stack[depth++] = g->root;
	seen[g->root] = true;
	while (depth) {
		uint32_t n = stack[depth - 1];
		if (g->first[n] + next[n] == g->first[n + 1]) {
			g->order[g->nodes - ++g->ordered] = n;
			depth--;
			continue;
		}
		uint32_t to = g->adjacent[g->first[n] + next[n]++];
		if (!seen[to]) {
			seen[to] = true;
			stack[depth++] = to;
		}
	}
	memmove(g->order, g->order + g->nodes - g->ordered, g->ordered * sizeof *g->order);
	free(stack);
	free(next);
	free(seen);
}

static void release_lists(struct graph *g)
{
	free(g->first);
	free(g->adjacent);
}

static void graph_release(struct graph *g)
{
	release_lists(g);
	free(g->before);
	free(g->previous);
	free(g->order);
	free(g->rank);
	vec_free(&g->edges);
}

/* Known flow from the entry; what it does not reach hangs from the root. */
static void graph_init(struct graph *g, const struct procedure *p)
{
	*g = (struct graph){.nodes = p->block_count + 1, .root = p->block_count};
	g->order = allocate(g->nodes, sizeof *g->order);
	g->rank = allocate(g->nodes, sizeof *g->rank);
	add_edge(g, BLOCK_NONE, p->entry_block);
	known_edges(p, add_edge, g);
	make_lists(g, false, &g->first, &g->adjacent);
	order_nodes(g);
	bool *reached = allocate(g->nodes, sizeof *reached);
	for (size_t i = 0; i < g->ordered; i++)
		reached[g->order[i]] = true;
	for (uint32_t b = 0; b < p->block_count; b++)
		if (!reached[b])
			add_edge(g, BLOCK_NONE, b);
	free(reached);
	release_lists(g);
	make_lists(g, false, &g->first, &g->adjacent);
	make_lists(g, true, &g->before, &g->previous);
	order_nodes(g);
	for (size_t i = 0; i < g->ordered; i++)
		g->rank[g->order[i]] = i;
}

void predominators_edges(const struct procedure *p, edge_visitor *visit, void *context)
{
	struct graph g;
	graph_init(&g, p);
	for (size_t e = 0; e < g.edges.count; e++)
		visit(context, g.edges.at[e].from == g.root ? BLOCK_NONE : g.edges.at[e].from, g.edges.at[e].to);
	graph_release(&g);
}

/* --- The tree */

static uint32_t common(const struct graph *g, const uint32_t *parent, uint32_t a, uint32_t b)
{
	while (a != b) {
		while (g->rank[a] > g->rank[b])
			a = parent[a];
		while (g->rank[b] > g->rank[a])
			b = parent[b];
	}
	return a;
}

static bool improve(const struct graph *g, uint32_t *parent, uint32_t n)
{
	uint32_t best = BLOCK_NONE;
	for (uint32_t i = g->before[n]; i < g->before[n + 1]; i++) {
		uint32_t from = g->previous[i];
		if (parent[from] != BLOCK_NONE)
			best = best == BLOCK_NONE ? from : common(g, parent, from, best);
	}
	bool changed = parent[n] != best;
	parent[n] = best;
	return changed;
}

static void find_parents(const struct graph *g, uint32_t *parent)
{
	for (size_t n = 0; n < g->nodes; n++)
		parent[n] = BLOCK_NONE;
	parent[g->root] = g->root;
	for (bool changed = true; changed;) {
		changed = false;
		for (size_t i = 1; i < g->ordered; i++)
			changed |= improve(g, parent, g->order[i]);
	}
}

/* A node comes behind its parent in reverse postorder, so sizes add up backwards and starts are dealt out forwards. */
static void number_tree(const struct graph *g, struct predominators *d)
{
	uint32_t *size = allocate(g->nodes, sizeof *size), *used = allocate(g->nodes, sizeof *used);
	for (size_t i = g->ordered; i-- > 0;) {
		uint32_t n = g->order[i];
		size[n]++;
		if (n != g->root)
			size[d->parent[n]] += size[n];
	}
	for (size_t i = 0; i < g->ordered; i++) {
		uint32_t n = g->order[i], parent = d->parent[n];
		if (n != g->root) {
			d->enter[n] = d->enter[parent] + 1 + used[parent];
			used[parent] += size[n];
		}
		d->leave[n] = d->enter[n] + size[n];
	}
	free(size);
	free(used);
}

struct predominators *predominators_new(const struct procedure *p)
{
	struct graph g;
	graph_init(&g, p);
	struct predominators *d = allocate(1, sizeof *d);
	d->block_count = p->block_count;
	d->insn_count = p->insn_count;
	d->block_of = allocate(p->insn_count, sizeof *d->block_of);
	d->parent = allocate(g.nodes, sizeof *d->parent);
	d->enter = allocate(g.nodes, sizeof *d->enter);
	d->leave = allocate(g.nodes, sizeof *d->leave);
	memset(d->block_of, 0xff, p->insn_count * sizeof *d->block_of);
	for (uint32_t b = 0; b < p->block_count; b++)
		for (uint32_t i = 0; i < p->blocks[b].count; i++)
			d->block_of[p->blocks[b].first + i] = b;
	find_parents(&g, d->parent);
	number_tree(&g, d);
	graph_release(&g);
	return d;
}

void predominators_free(struct predominators *d)
{
	if (!d)
		return;
	free(d->block_of);
	free(d->parent);
	free(d->enter);
	free(d->leave);
	free(d);
}

uint32_t predominators_block(const struct predominators *d, uint32_t insn)
{
	return insn < d->insn_count ? d->block_of[insn] : BLOCK_NONE;
}

uint32_t predominators_parent(const struct predominators *d, uint32_t block)
{
	return block < d->block_count && d->parent[block] != d->block_count ? d->parent[block] : BLOCK_NONE;
}

bool predominates(const struct predominators *d, uint32_t earlier, uint32_t later)
{
	uint32_t a = predominators_block(d, earlier), b = predominators_block(d, later);
	if (earlier == later)
		return true;
	if (a == BLOCK_NONE || b == BLOCK_NONE)
		return false;
	if (a == b)
		return earlier < later;
	return d->enter[a] <= d->enter[b] && d->leave[b] <= d->leave[a];
}
