/* Which procedures are observed at a time: the batch, within budget and memory. */
#include "learn/learner_private.h"

#include <errno.h>
#include <string.h>

enum {
	BATCH_GROWS_US = 100000,
	FILL_EVERY_US = 100000,
	FILL_VARIABLES = 20000, /* of new plans in one tick: some 100 ms at most */
	FILL_VARIABLES_LIVE = FILL_VARIABLES / 8, /* at a budget: probes at their limits wait to be taken out */
};

void learner_cost(struct learner *l, int64_t us)
{
	budget_spend(&l->budget, us * 1000);
}

/* Lower is sooner; NEVER: not now. */
enum rank { RANK_NEW, RANK_UNFINISHED, RANK_SETTLED, RANK_NEVER };

static enum rank rank_of(const struct learner *l, const struct candidate *c)
{
	unsigned doublings = c->visits < 16 ? c->visits : 16;
	if (c->refused || c->wanted || l->now_us < c->idle_until_us)
		return RANK_NEVER;
	if (l->config.full)
		return RANK_NEW;
	switch (c->phase) {
	case PHASE_NEW:
		return RANK_NEW;
	case PHASE_SETTLED:
		return l->now_us - c->settled_us >= l->config.revisit_us << (doublings ? doublings - 1 : 0) ? RANK_SETTLED : RANK_NEVER;
	default:
		return RANK_UNFINISHED;
	}
}

struct choice {
	enum rank rank;
	uint64_t turn;
	bool late;
	uint32_t number;
	uint64_t order;
};

/* Those that lie together in a module, cold code first, are seldom executed together; and short runs are to get on with other ones each time. */
static uint64_t order_of(const struct learner *l, uint32_t number)
{
	uint64_t h = (number + 1) * 0x9e3779b97f4a7c15u ^ l->config.seed;
	h = (h ^ h >> 31) * 0xbf58476d1ce4e5b9u;
	return h ^ h >> 29;
}

static int order_choices(const void *a, const void *b)
{
	const struct choice *x = a, *y = b;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->turn != y->turn)
		return x->turn < y->turn ? -1 : 1;
	if (x->late != y->late)
		return y->late ? -1 : 1;
	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* All that wait, in their order. */
static size_t waiting(const struct learner *l, struct choice **out)
{
	VEC(struct choice) all = {0};
	for (uint32_t n = 0; n < l->candidates.count; n++) {
		const struct candidate *c = &l->candidates.at[n];
		enum rank rank = rank_of(l, c);
		if (rank != RANK_NEVER)
			vec_push(&all, (struct choice){rank, c->turn, !c->preferred, n, order_of(l, n)});
	}
	if (all.count)
		qsort(all.at, all.count, sizeof *all.at, order_choices);
	*out = all.at;
	return all.count;
}

/* Room for those that wait: what was not executed for long. */
static void evict_idle(struct learner *l, size_t places)
{
	for (size_t i = l->wanted.count; i-- > 0 && places;) {
		struct candidate *c = &l->candidates.at[l->wanted.at[i]];
		if (l->now_us - c->seen_us >= l->config.patience_us) {
			unsigned doublings = c->idle_visits < 8 ? c->idle_visits++ : 8;
			c->idle_until_us = l->now_us + (l->config.revisit_us << doublings);
			candidate_end(l, c);
			places--;
		}
	}
}

static bool has_room(const struct learner *l)
{
	bool fits = l->memory < l->config.memory_max;
	return fits && (l->config.full || (l->wanted.count < l->batch && l->budget.level > 0));
}

static void fill_batch(struct learner *l)
{
	struct choice *queue;
	bool is_due = l->filled_us < 0 || l->now_us - l->filled_us >= FILL_EVERY_US;
	if (!is_due || (!l->config.full && l->budget.level <= 0))
		return;
	l->filled_us = l->now_us;
	size_t count = waiting(l, &queue);
	size_t room = l->wanted.count < l->batch ? l->batch - l->wanted.count : 0;
	if (!l->config.full && count > room)
		evict_idle(l, count - room);
	size_t variables = 0;
	const struct module_key *absent = NULL;
	for (size_t i = 0; i < count && has_room(l); i++) {
		struct candidate *c = &l->candidates.at[queue[i].number];
		if (absent && !strncmp(absent->hex, c->module.hex, MODULE_KEY_SIZE))
			continue;
		int status = candidate_begin(l, c);
		if (status == -EAGAIN)
			absent = &c->module;
		if (!status)
			variables += c->plan->variable_count;
		if (variables > (l->config.full ? FILL_VARIABLES : FILL_VARIABLES_LIVE)) {
			l->filled_us = -1;
			break;
		}
	}
	free(queue);
}

static int order_by_records(const void *a, const void *b)
{
	const struct choice *x = a, *y = b;
	if (x->turn != y->turn)
		return x->turn > y->turn ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* Over budget: those that delivered most leave, until half of the recent records are gone. The batch becomes smaller. */
static void shed_load(struct learner *l)
{
	VEC(struct choice) busy = {0};
	uint64_t total = 0, gone = 0;
	for (size_t i = 0; i < l->wanted.count; i++) {
		uint64_t recent = l->candidates.at[l->wanted.at[i]].recent;
		if (recent)
			vec_push(&busy, (struct choice){.turn = recent, .number = l->wanted.at[i]});
		total += recent;
	}
	if (busy.count)
		qsort(busy.at, busy.count, sizeof *busy.at, order_by_records);
	for (size_t i = 0; i < busy.count && gone * 2 < total; i++) {
		gone += busy.at[i].turn;
		candidate_end(l, &l->candidates.at[busy.at[i].number]);
	}
	l->batch = l->wanted.count > 1 ? l->wanted.count : 1;
	vec_free(&busy);
}

/* At least half full for a while: the procedures under observation cost less than they may. */
static void grow_batch(struct learner *l)
{
	if (l->budget.full_us < 0 || l->now_us - l->budget.full_us < BATCH_GROWS_US || l->wanted.count < l->batch)
		return;
	l->batch = l->batch * 2 < l->config.batch_max ? l->batch * 2 : l->config.batch_max;
	l->budget.full_us = l->now_us;
}

void learner_tick(struct learner *l, int64_t now_us)
{
	if (now_us > l->now_us)
		l->now_us = now_us;
	budget_fill(&l->budget, l->config.budget_percent, l->now_us);
	for (size_t i = l->wanted.count; i-- > 0;)
		candidate_advance(l, &l->candidates.at[l->wanted.at[i]]);
	if (!l->config.full && l->budget.level < 0)
		shed_load(l);
	grow_batch(l);
	fill_batch(l);
	for (size_t i = 0; i < l->wanted.count; i++)
		l->candidates.at[l->wanted.at[i]].recent = 0;
}
