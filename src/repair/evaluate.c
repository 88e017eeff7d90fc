#include "repair/evaluate.h"

#include "repair/describe.h"
#include "repair/journal.h"
#include "repair/lifecycle.h"
#include "repair/rank.h"

#include <errno.h>
#include <stdio.h>

enum { WHY_SIZE = 320 };

/* --- Which one. */

struct choice {
	int bonus, at_least;
	uint64_t except;
};

static bool allowed(void *context, const struct patch *p)
{
	const struct choice *c = context;
	return p->id != c->except && rank_score(p, c->bonus) >= c->at_least;
}

/* The best that has not done more harm than good; else the least bad, while there is hope. The one that has just failed only if nothing else is
 * left, so that a patch with many successes gets a rest, during which another one can show what it is worth. */
static const struct patch *choose(struct repair *r, const patch_list *list, uint64_t except)
{
	const struct choice choices[] = {
		{r->settings.bonus, 0, except},
		{r->settings.bonus, 0, 0},
		{r->settings.bonus, r->settings.give_up_score + 1, except},
		{r->settings.bonus, r->settings.give_up_score + 1, 0},
	};
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
		const struct patch *p = rank_best(list->at, list->count, r->settings.bonus, allowed, (void *)&choices[i]);
		if (p)
			return p;
	}
	return NULL;
}

static const struct patch *pinned_or_in_force(const patch_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->at[i].pinned && list->at[i].state != PATCH_DISABLED)
			return &list->at[i];
	for (size_t i = 0; i < list->count; i++)
		if (patch_is_in_force(&list->at[i]))
			return &list->at[i];
	return NULL;
}

static int put_in_force(struct repair *r, const struct patch *chosen)
{
	struct patch p = *chosen;
	char text[256];
	p.state = PATCH_TRIED;
	r->stale = true;
	int err = store_patch_put(r->store, &p);
	if (err)
		return err;
	return journal(r->store, JOURNAL_PATCH, p.failure, p.id, 0, repair_now(r), "patch %llu goes in (score %d, %u successes, %u failures): %s",
		       (unsigned long long)p.id, rank_score(&p, r->settings.bonus), p.successes, p.failures, describe_patch(&p, text, sizeof text));
}

static int give_up(struct repair *r, struct location *l, const patch_list *list)
{
	char why[WHY_SIZE];
	const struct patch *best = rank_best(list->at, list->count, r->settings.bonus, NULL, NULL);
	if (best)
		snprintf(why, sizeof why, "all %zu candidates failed; the best, patch %llu, has score %d", list->count,
			 (unsigned long long)best->id, rank_score(best, r->settings.bonus));
	else if (list->count)
		snprintf(why, sizeof why, "all %zu candidates are disabled", list->count);
	else
		snprintf(why, sizeof why, "there is no candidate patch");
	return lifecycle_step(r->store, l, LIFECYCLE_EXHAUSTED, repair_now(r), why);
}

int evaluate_select(struct repair *r, struct location *l, uint64_t except)
{
	patch_list list = {0};
	int err = load_patches(r->store, l->id, &list);
	if (!err) {
		const struct patch *p = pinned_or_in_force(&list);
		if (!p)
			p = choose(r, &list, except);
		if (!p)
			err = give_up(r, l, &list);
		else if (!patch_is_in_force(p))
			err = put_in_force(r, p);
	}
	vec_free(&list);
	return err;
}

/* --- How it went. */

static int succeeded(struct repair *r, struct patch *p, pid_t pid, const char *why)
{
	struct location l;
	bool first = p->state != PATCH_KEPT;
	p->successes++;
	if (p->state == PATCH_TRIED)
		p->state = PATCH_KEPT;
	int err = store_patch_put(r->store, p);
	/* Each success is counted, the first is told. */
	if (!err && first)
		err = journal(r->store, JOURNAL_PATCH, p->failure, p->id, pid, repair_now(r), "patch %llu succeeded: %s", (unsigned long long)p->id, why);
	if (!err)
		err = store_location_get(r->store, p->failure, &l);
	if (err)
		return err;
	if (p->state != PATCH_KEPT) /* a rescue's */
		err = l.state == LOCATION_DETECTED ? evaluate_select(r, &l, 0) : 0;
	if (!err && p->state == PATCH_KEPT)
		err = lifecycle_step(r->store, &l, LIFECYCLE_SUCCESS, repair_now(r), why);
	return err;
}

int evaluate_succeeded(struct repair *r, uint64_t patch, pid_t pid, const char *why)
{
	struct patch p;
	int err = store_patch_get(r->store, patch, &p);
	if (err)
		return err == -ENOENT ? 0 : err;
	return succeeded(r, &p, pid, why);
}

static int withdraw(struct repair *r, struct patch *p, const char *why)
{
	struct location l;
	int err = store_location_get(r->store, p->failure, &l);
	if (!err)
		err = lifecycle_step(r->store, &l, LIFECYCLE_WITHDRAWN, repair_now(r), why);
	return err ? err : evaluate_select(r, &l, p->id);
}

int evaluate_failed(struct repair *r, uint64_t patch, pid_t pid, const char *why)
{
	struct patch p;
	int err = store_patch_get(r->store, patch, &p);
	if (err)
		return err == -ENOENT ? 0 : err;
	bool out = patch_is_in_force(&p) && !p.pinned;
	r->stale |= out;
	p.failures++;
	if (out || p.state == PATCH_CANDIDATE)
		p.state = PATCH_DISCARDED;
	err = store_patch_put(r->store, &p);
	if (!err)
		err = journal(r->store, JOURNAL_PATCH, p.failure, p.id, pid, repair_now(r), "patch %llu failed%s: %s", (unsigned long long)p.id,
			      out ? " and goes out" : "", why);
	if (err || !out)
		return err;
	return withdraw(r, &p, why);
}

/* What took its place and has shown nothing yet steps back. */
static int give_place_back(struct repair *r, const struct patch *p)
{
	struct location l;
	patch_list list = {0};
	int err = load_patches(r->store, p->failure, &list);
	for (size_t i = 0; !err && i < list.count; i++) {
		struct patch *other = &list.at[i];
		if (!patch_is_in_force(other) || other->pinned || rank_compare(p, other, r->settings.bonus) >= 0)
			continue;
		other->state = other->failures ? PATCH_DISCARDED : PATCH_CANDIDATE;
		r->stale = true;
		err = store_patch_put(r->store, other);
	}
	vec_free(&list);
	if (!err)
		err = store_location_get(r->store, p->failure, &l);
	return err ? err : evaluate_select(r, &l, 0);
}

int evaluate_absolve(struct repair *r, uint64_t patch, const char *why)
{
	struct patch p;
	int err = store_patch_get(r->store, patch, &p);
	if (err || !p.failures || p.state == PATCH_DISABLED)
		return err == -ENOENT ? 0 : err;
	p.failures--;
	err = store_patch_put(r->store, &p);
	if (!err)
		err = journal(r->store, JOURNAL_PATCH, p.failure, p.id, 0, repair_now(r), "patch %llu is not to blame: %s", (unsigned long long)p.id, why);
	return err ? err : give_place_back(r, &p);
}
