#include "learn/learner_private.h"

#include <stdlib.h>
#include <string.h>

void learner_config_init(struct learner_config *c)
{
	*c = (struct learner_config){
		.budget_percent = 5,
		.record_cost_ns = 500,
		.batch_max = 1024,
		.max_pairs = 16384,
		.activations = 64,
		.observe_executions = 200,
		.confirm_executions = 100,
		.point_limit = 500,
		.patience_us = 3000000,
		.revisit_us = 60000000,
		.min_samples = 2,
		.memory_max = 256 << 20,
	};
}

struct learner *learner_new(const struct learner_config *config, const struct learner_code *code)
{
	struct learner *l = calloc(1, sizeof *l);
	if (!l)
		abort();
	l->config = *config;
	l->code = *code;
	l->batch = config->batch_max < 16 ? config->batch_max : 16;
	l->filled_us = -1;
	budget_init(&l->budget, config->budget_percent);
	return l;
}

void learner_free(struct learner *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->candidates.count; i++)
		candidate_free(l, &l->candidates.at[i]);
	vec_free(&l->candidates);
	vec_free(&l->wants);
	vec_free(&l->wanted);
	free(l->table);
	free(l);
}

/* --- Candidates */

static uint64_t hash_of(const struct module_key *module, uint64_t entry)
{
	uint64_t h = entry * 0x9e3779b97f4a7c15u;
	for (size_t i = 0; i < MODULE_KEY_SIZE && module->hex[i]; i++)
		h = (h ^ (uint8_t)module->hex[i]) * 0x100000001b3u;
	return h ^ h >> 29;
}

static size_t slot_of(const struct learner *l, const struct module_key *module, uint64_t entry)
{
	size_t at = hash_of(module, entry) & (l->table_size - 1);
	for (; l->table[at]; at = (at + 1) & (l->table_size - 1)) {
		const struct candidate *c = &l->candidates.at[l->table[at] - 1];
		if (c->entry == entry && !strncmp(c->module.hex, module->hex, MODULE_KEY_SIZE))
			break;
	}
	return at;
}

static void grow_table(struct learner *l)
{
	l->table_size = l->table_size ? l->table_size * 2 : 1024;
	free(l->table);
	l->table = calloc(l->table_size, sizeof *l->table);
	if (!l->table)
		abort();
	for (size_t i = 0; i < l->candidates.count; i++)
		l->table[slot_of(l, &l->candidates.at[i].module, l->candidates.at[i].entry)] = i + 1;
}

uint32_t learner_add(struct learner *l, const struct module_key *module, uint64_t entry)
{
	if ((l->candidates.count + 1) * 2 > l->table_size)
		grow_table(l);
	size_t slot = slot_of(l, module, entry);
	if (l->table[slot])
		return l->table[slot] - 1;
	vec_push(&l->candidates, (struct candidate){.module = *module, .entry = entry});
	l->table[slot] = l->candidates.count;
	l->filled_us = -1;
	return l->candidates.count - 1;
}

void learner_prefer(struct learner *l, uint32_t procedure)
{
	if (procedure < l->candidates.count)
		l->candidates.at[procedure].preferred = true;
}

static struct candidate *find(struct learner *l, const struct module_key *module, uint64_t entry)
{
	if (!l->table_size)
		return NULL;
	size_t slot = slot_of(l, module, entry);
	return l->table[slot] ? &l->candidates.at[l->table[slot] - 1] : NULL;
}

void learner_restore(struct learner *l, const struct module_key *module, uint64_t entry, const void *bytes, size_t size)
{
	struct state s;
	struct candidate *c = find(l, module, entry);
	if (!c || state_decode(bytes, size, &s))
		return;
	if (!c->wanted && s.phase > c->phase) {
		c->phase = c->committed_phase = s.phase;
		c->visits = c->committed_visits = s.visits;
		c->settled_us = l->now_us;
	}
	state_release(&s);
}

void learner_refuse(struct learner *l, uint32_t procedure)
{
	if (procedure >= l->candidates.count)
		return;
	struct candidate *c = &l->candidates.at[procedure];
	c->refused = true;
	if (c->wanted)
		candidate_end(l, c);
}

/* --- Records */

void learner_record(struct learner *l, uint32_t procedure, uint32_t generation, uint32_t point, const struct value_space *space,
	const struct guest_record *r)
{
	if (procedure >= l->candidates.count)
		return;
	struct candidate *c = &l->candidates.at[procedure];
	if (!c->wanted || c->generation != generation || point >= c->plan->point_count)
		return;
	if (!c->infer && l->memory >= l->config.memory_max) {
		l->starved++;
		return;
	}
	if (!c->infer)
		candidate_make_infer(l, c);
	bool is_entry = c->plan->points[point].is_entry;
	c->executions += is_entry;
	c->recent++;
	l->records++;
	l->executions += is_entry;
	budget_spend(&l->budget, l->config.record_cost_ns);
	if (infer_record(c->infer, point, space, r))
		c->changed_at = c->executions;
}

void learner_exhausted(struct learner *l, uint32_t procedure, uint32_t generation, const uint32_t *points, size_t count, uint64_t calls)
{
	enum { CALL_NS = 30, MOST = 1 << 30 };
	struct candidate *c = procedure < l->candidates.count ? &l->candidates.at[procedure] : NULL;
	l->beyond += calls;
	budget_spend(&l->budget, (int64_t)(calls < MOST ? calls : MOST) * CALL_NS);
	if (c && c->wanted && c->generation == generation)
		candidate_exhausted(l, c, points, count);
}

void learner_landings(struct learner *l, uint64_t count)
{
	enum { LANDING_NS = 4000, MOST = 1 << 20 };
	budget_spend(&l->budget, (int64_t)(count < MOST ? count : MOST) * LANDING_NS);
}

void learner_lost(struct learner *l)
{
	for (size_t i = 0; i < l->candidates.count; i++)
		if (l->candidates.at[i].infer)
			infer_lost(l->candidates.at[i].infer);
}

void learner_discard_epoch(struct learner *l)
{
	for (size_t i = 0; i < l->candidates.count; i++)
		candidate_reset(l, &l->candidates.at[i]);
}

/* --- The list */

static struct learner_want want_of(const struct learner *l, uint32_t n)
{
	const struct candidate *c = &l->candidates.at[n];
	struct learner_want w = {.procedure = n, .generation = c->generation, .plan = c->plan, .active = c->active};
	candidate_limits(l, c, &w);
	return w;
}

static int order_wants(const void *a, const void *b)
{
	const struct learner_want *x = a, *y = b;
	return x->procedure < y->procedure ? -1 : x->procedure > y->procedure;
}

static void refresh(struct learner *l)
{
	if (!l->wants_stale)
		return;
	l->wants.count = 0;
	for (size_t i = 0; i < l->wanted.count; i++)
		vec_push(&l->wants, want_of(l, l->wanted.at[i]));
	if (l->wants.count)
		qsort(l->wants.at, l->wants.count, sizeof *l->wants.at, order_wants);
	l->wants_stale = false;
	l->generation++;
}

const struct learner_want *learner_wanted(struct learner *l, size_t *count)
{
	refresh(l);
	*count = l->wants.count;
	return l->wants.at;
}

uint64_t learner_generation(const struct learner *l)
{
	return l->generation + l->wants_stale;
}

void learner_stats(const struct learner *l, struct learner_stats *out)
{
	*out = (struct learner_stats){
		.candidates = l->candidates.count, .wanted = l->wanted.count, .memory = l->memory, .records = l->records,
		.executions = l->executions, .beyond = l->beyond, .starved = l->starved, .cost_us = l->budget.spent_ns / 1000, .batch = l->batch,
	};
	for (size_t i = 0; i < l->candidates.count; i++) {
		out->refused += l->candidates.at[i].refused;
		out->by_phase[l->candidates.at[i].phase]++;
	}
}
