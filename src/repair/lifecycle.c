#include "repair/lifecycle.h"

#include "repair/candidates.h"
#include "repair/checks.h"
#include "repair/correlate.h"
#include "repair/evaluate.h"
#include "repair/force.h"
#include "repair/journal.h"

static const struct transition {
	uint8_t from, input, to;
} transitions[] = {
	{LOCATION_DETECTED,  LIFECYCLE_CHECKS,     LOCATION_CHECKING},
	{LOCATION_DETECTED,  LIFECYCLE_CANDIDATES, LOCATION_REPAIRING},
	{LOCATION_CHECKING,  LIFECYCLE_CANDIDATES, LOCATION_REPAIRING},
	{LOCATION_REPAIRING, LIFECYCLE_SUCCESS,    LOCATION_PATCHED},
	{LOCATION_PATCHED,   LIFECYCLE_WITHDRAWN,  LOCATION_REPAIRING},
	{LOCATION_REPAIRING, LIFECYCLE_EXHAUSTED,  LOCATION_DETECTED},
	/* A patch whose trial a rescue began succeeded after all others had been given up. */
	{LOCATION_DETECTED,  LIFECYCLE_SUCCESS,    LOCATION_PATCHED},
};

bool lifecycle_next(enum location_state from, enum lifecycle_input input, enum location_state *to)
{
	for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++) {
		if (transitions[i].from != from || transitions[i].input != input)
			continue;
		*to = transitions[i].to;
		return true;
	}
	return false;
}

int lifecycle_step(struct store *s, struct location *l, enum lifecycle_input input, int64_t now_us, const char *why)
{
	enum location_state to, from = l->state;
	if (!lifecycle_next(from, input, &to))
		return 0;
	l->state = to;
	if (to == LOCATION_PATCHED)
		l->patched_us = now_us;
	else
		l->patched_us = 0;
	int err = store_location_put(s, l);
	if (err)
		return err;
	return journal(s, JOURNAL_TRANSITION, l->id, 0, l->last.pid, now_us, "%s -> %s: %s", location_state_names[from], location_state_names[to], why);
}

/* --- Detected: look for suspects; without any, repair at once. */

static int make_generic(struct repair *r, struct location *l)
{
	patch_list list = {0};
	int err = candidates_generic(r, l, &list);
	if (!err)
		err = candidates_store(r, l->id, &list, NULL);
	vec_free(&list);
	return err;
}

static int failed_detected(struct repair *r, struct location *l)
{
	unsigned added = 0;
	/* The generic ones are there from the start: a rescue may need one before the checks are through. */
	int err = make_generic(r, l);
	if (!err && r->settings.checking_presentations)
		err = checks_make(r, l, &added);
	if (err)
		return err;
	if (added) {
		l->check_failures = 0;
		return lifecycle_step(r->store, l, LIFECYCLE_CHECKS, l->last_us, "invariants are learned on the way to the failure");
	}
	err = lifecycle_step(r->store, l, LIFECYCLE_CANDIDATES, l->last_us, "no unchecked invariant is known on the way to the failure");
	return err ? err : evaluate_select(r, l, 0);
}

/* --- Checking: after enough failures, repair by what correlates. */

static const char *const why_correlated[CORRELATION_COUNT] = {
	[CORRELATION_NOT] = "no invariant correlates with the failure",
	[CORRELATION_MODERATELY] = "moderately correlated invariants found",
	[CORRELATION_HIGHLY] = "highly correlated invariants found",
};

static int make_correlated(struct repair *r, struct location *l, enum correlation *best)
{
	check_list checks = {0};
	patch_list patches = {0};
	int err = checks_classify(r, l, &checks, best);
	for (size_t i = 0; !err && i < checks.count; i++)
		if (*best >= CORRELATION_MODERATELY && checks.at[i].correlation == *best)
			err = candidates_of_invariant(r, l, &checks.at[i].invariant, &patches);
	if (!err)
		err = candidates_store(r, l->id, &patches, NULL);
	vec_free(&patches);
	vec_free(&checks);
	return err;
}

static int failed_checking(struct repair *r, struct location *l)
{
	enum correlation best;
	bool observed;
	int err = checks_before_failure(r, l, &observed);
	if (err || !observed)
		return err;
	l->check_failures++;
	err = store_location_put(r->store, l);
	if (err || l->check_failures < r->settings.checking_presentations)
		return err;
	err = make_correlated(r, l, &best);
	if (!err)
		err = lifecycle_step(r->store, l, LIFECYCLE_CANDIDATES, l->last_us, why_correlated[best < CORRELATION_MODERATELY ? CORRELATION_NOT : best]);
	return err ? err : evaluate_select(r, l, 0);
}

/* --- Repairing, patched: what is in force has not prevented it. */

static int failed_repairing(struct repair *r, struct location *l, bool in_time)
{
	const struct force_entry *e = force_at(r, l->id);
	if (e && in_time) {
		int err = evaluate_failed(r, e->patch.id, l->last.pid, "the failure happened again in spite of it");
		if (err)
			return err;
		err = store_location_get(r->store, l->id, l);
		if (err)
			return err;
	}
	return evaluate_select(r, l, 0);
}

int lifecycle_failure(struct repair *r, struct location *l, bool in_time)
{
	switch (l->state) {
	case LOCATION_DETECTED:
		return failed_detected(r, l);
	case LOCATION_CHECKING:
		return failed_checking(r, l);
	default:
		return failed_repairing(r, l, in_time);
	}
}
