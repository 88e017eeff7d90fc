/* One procedure's way from new to settled. */
#include "learn/learner_private.h"

#include <errno.h>

/* A procedure whose hypotheses go on changing is settled all the same after that many times confirm_executions. */
enum { CONFIRM_PATIENCE = 16 };

static void add_memory(struct learner *l, const struct candidate *c, int sign)
{
	size_t plan = c->plan ? c->plan->variable_count * sizeof *c->plan->variables + c->plan->point_count * (sizeof *c->plan->points + 1)
		+ c->plan->pair_count * sizeof *c->plan->pairs : 0;
	size_t infer = c->infer ? infer_size(c->infer) : 0;
	l->memory += sign * (plan + infer);
}

void candidate_limits(const struct learner *l, const struct candidate *c, struct learner_want *w)
{
	if (l->config.full)
		return;
	uint64_t executions = c->phase == PHASE_CONFIRM ? l->config.confirm_executions : l->config.observe_executions;
	w->entry_limit = 2 * executions; /* some records may be lost */
	w->point_limit = l->config.point_limit;
}

static bool is_worth_observing(const struct candidate *c, uint32_t point)
{
	bool rests = point < c->rested_count && c->rested[point] && !c->plan->points[point].is_entry;
	return !rests && (c->phase != PHASE_CONFIRM || !c->infer || infer_point_alive(c->infer, point));
}

static void start_phase(struct learner *l, struct candidate *c, enum learn_phase phase)
{
	struct learner_want limits = {0};
	c->phase = phase;
	c->executions = c->changed_at = 0;
	c->generation++;
	candidate_limits(l, c, &limits);
	if (c->infer)
		infer_limit(c->infer, limits.entry_limit, limits.point_limit);
	for (size_t p = 0; p < c->plan->point_count; p++)
		c->active[p] = is_worth_observing(c, p);
	l->wants_stale = true;
}

static int make_plan(struct learner *l, struct candidate *c)
{
	const struct procedure *p;
	if (c->plan)
		return 0;
	int status = l->code.get(l->code.context, &c->module, c->entry, &p);
	if (status)
		return status;
	status = p->entry == c->entry ? plan_new(p, l->config.max_pairs, &c->plan) : -EINVAL;
	if (l->code.put)
		l->code.put(l->code.context, p);
	if (status)
		return status;
	c->active = calloc(c->plan->point_count + 1, sizeof *c->active);
	if (!c->active)
		abort();
	add_memory(l, c, 1);
	return 0;
}

int candidate_begin(struct learner *l, struct candidate *c)
{
	int status = make_plan(l, c);
	c->turn = ++l->turn;
	if (status) {
		c->refused = status != -EAGAIN;
		return status;
	}
	c->wanted = true;
	c->recent = 0;
	c->seen_us = l->now_us;
	vec_push(&l->wanted, c - l->candidates.at);
	start_phase(l, c, c->phase == PHASE_CONFIRM && (c->infer || c->exhaustions) ? PHASE_CONFIRM : PHASE_OBSERVE);
	return 0;
}

void candidate_end(struct learner *l, struct candidate *c)
{
	size_t at = 0;
	while (l->wanted.at[at] != c - l->candidates.at)
		at++;
	l->wanted.at[at] = l->wanted.at[--l->wanted.count];
	l->wants_stale = true;
	c->wanted = false;
	if (c->infer)
		return;
	c->phase = c->committed_phase;
	candidate_release(l, c);
}

void candidate_release(struct learner *l, struct candidate *c)
{
	add_memory(l, c, -1);
	plan_free(c->plan);
	infer_free(c->infer);
	free(c->active);
	c->plan = NULL;
	c->infer = NULL;
	c->active = NULL;
}

static void forget_exhaustions(struct candidate *c)
{
	free(c->rested);
	c->rested = NULL;
	c->rested_count = 0;
	c->exhaustions = 0;
}

void candidate_free(struct learner *l, struct candidate *c)
{
	candidate_release(l, c);
	forget_exhaustions(c);
}

void candidate_make_infer(struct learner *l, struct candidate *c)
{
	struct learner_want limits = {0};
	add_memory(l, c, -1);
	c->infer = infer_new(c->plan, l->config.activations);
	add_memory(l, c, 1);
	candidate_limits(l, c, &limits);
	infer_limit(c->infer, limits.entry_limit, limits.point_limit);
}

static void settle(struct learner *l, struct candidate *c)
{
	forget_exhaustions(c);
	c->phase = PHASE_SETTLED;
	c->visits++;
	c->settled_us = l->now_us;
	candidate_end(l, c);
}

/* So much at once is as good as a phase, even where the procedure itself was entered but once. */
void candidate_exhausted(struct learner *l, struct candidate *c, const uint32_t *points, size_t count)
{
	if (!c->rested && !(c->rested = calloc(c->rested_count = c->plan->point_count, sizeof *c->rested)))
		abort();
	for (size_t i = 0; i < count; i++)
		if (points[i] < c->rested_count)
			c->rested[points[i]] = true;
	bool changes = c->executions - c->changed_at < l->config.confirm_executions && c->executions >= l->config.confirm_executions;
	if (c->phase == PHASE_CONFIRM && (!changes || c->exhaustions >= CONFIRM_PATIENCE)) {
		settle(l, c);
		return;
	}
	c->phase = PHASE_CONFIRM;
	c->exhaustions++;
	candidate_end(l, c);
}

void candidate_advance(struct learner *l, struct candidate *c)
{
	const struct learner_config *config = &l->config;
	if (c->recent) {
		c->seen_us = l->now_us;
		c->idle_visits = 0;
	}
	if (config->full)
		return;
	if (c->phase == PHASE_OBSERVE && c->executions >= config->observe_executions)
		start_phase(l, c, PHASE_CONFIRM);
	else if (c->phase == PHASE_CONFIRM && (c->executions - c->changed_at >= config->confirm_executions
		|| c->executions >= config->confirm_executions * CONFIRM_PATIENCE))
		settle(l, c);
}

void candidate_reset(struct learner *l, struct candidate *c)
{
	bool wanted = c->wanted;
	if (!c->infer)
		return;
	add_memory(l, c, -1);
	infer_free(c->infer);
	c->infer = NULL;
	add_memory(l, c, 1);
	c->phase = c->committed_phase;
	c->visits = c->committed_visits;
	if (wanted)
		start_phase(l, c, PHASE_OBSERVE);
	else
		candidate_release(l, c);
}
