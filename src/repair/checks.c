#include "repair/checks.h"

#include "repair/describe.h"
#include "repair/journal.h"

static bool has_check(const check_list *checks, const struct invariant *i)
{
	for (size_t n = 0; n < checks->count; n++)
		if (invariant_same(&checks->at[n].invariant, i))
			return true;
	return false;
}

int checks_make(struct repair *r, const struct location *l, unsigned *added)
{
	invariant_list suspects = {0};
	check_list stored = {0};
	*added = 0;
	int err = load_checks(r->store, l->id, &stored);
	if (!err)
		err = correlate_candidates(r, &l->last, &suspects);
	for (size_t i = 0; !err && i < suspects.count; i++) {
		struct check c = {.location = l->id, .invariant = suspects.at[i]};
		if (has_check(&stored, &c.invariant))
			continue;
		err = store_check_put(r->store, &c);
		vec_push(&stored, c);
		++*added;
	}
	if (!err && *added)
		err = journal(r->store, JOURNAL_CHECK, l->id, 0, l->last.pid, l->last_us, "%u invariants are checked from now on", *added);
	vec_free(&stored);
	vec_free(&suspects);
	return err;
}

static void collect_one(struct repair *r, struct check *c, pid_t pid, pid_t tid, struct check_tally *tally)
{
	*tally = (struct check_tally){0};
	r->host.check_collect(r->host.context, c->id, pid, tid, tally);
	c->satisfied_elsewhere += tally->satisfied;
	c->violated_elsewhere += tally->violated;
}

static bool in_force(const struct repair *r, uint64_t check)
{
	for (size_t i = 0; i < r->checks.count; i++)
		if (r->checks.at[i] == check)
			return true;
	return false;
}

int checks_collect(struct repair *r)
{
	check_list checks = {0};
	if (!r->checks.count)
		return 0;
	int err = load_checks(r->store, 0, &checks);
	for (size_t i = 0; !err && i < checks.count; i++) {
		struct check_tally tally;
		if (!in_force(r, checks.at[i].id))
			continue;
		collect_one(r, &checks.at[i], 0, 0, &tally);
		if (tally.satisfied || tally.violated)
			err = store_check_put(r->store, &checks.at[i]);
	}
	vec_free(&checks);
	return err;
}

/* The last check of the failing thread was tallied with the others: it is moved over. It may have been tallied before an earlier collection, but
 * never to another location's row. */
static void move_last(struct check *c, uint8_t last)
{
	if (last == CHECK_VIOLATED) {
		c->violated_before_failure++;
		c->violated_elsewhere -= c->violated_elsewhere > 0;
	} else if (last == CHECK_SATISFIED) {
		c->satisfied_before_failure++;
		c->satisfied_elsewhere -= c->satisfied_elsewhere > 0;
	}
}

int checks_before_failure(struct repair *r, const struct location *l, bool *observed)
{
	check_list checks = {0};
	int err = load_checks(r->store, l->id, &checks);
	*observed = false;
	for (size_t i = 0; !err && i < checks.count; i++) {
		struct check *c = &checks.at[i];
		struct check_tally tally;
		if (!in_force(r, c->id))
			continue;
		/* Nothing tallied at all, though they were in before the failure: they are not on the way to it after all. */
		*observed |= r->checks_since_us < l->last_us;
		collect_one(r, c, l->last.pid, l->last.tid, &tally);
		*observed |= tally.last != CHECK_NONE;
		move_last(c, tally.last);
		err = store_check_put(r->store, c);
	}
	vec_free(&checks);
	return err;
}

/* A check that has never been satisfied says as little as one that was never made: an invariant over values that differ from run to run (a random seed,
 * a clock) is violated before every failure, and before everything else. A repair on it would act on sound executions. */
static bool has_held(const struct check *c)
{
	return c->satisfied_elsewhere || c->satisfied_before_failure;
}

int checks_classify(struct repair *r, const struct location *l, check_list *out, enum correlation *best)
{
	unsigned tally[CORRELATION_COUNT] = {0};
	*best = CORRELATION_UNDECIDED;
	int err = load_checks(r->store, l->id, out);
	for (size_t i = 0; !err && i < out->count; i++) {
		struct check *c = &out->at[i];
		c->correlation = correlation_of(c, l->check_failures);
		if (c->correlation > CORRELATION_SLIGHTLY && r->settings.demand_satisfied && !has_held(c))
			c->correlation = CORRELATION_SLIGHTLY;
		if (c->correlation > *best)
			*best = c->correlation;
		tally[c->correlation]++;
		err = store_check_put(r->store, c);
		if (!err && c->correlation >= CORRELATION_MODERATELY) {
			char text[256];
			err = journal(r->store, JOURNAL_CHECK, l->id, 0, 0, l->last_us, "%s correlated: %s", correlation_names[c->correlation],
				      describe_invariant(&c->invariant, text, sizeof text));
		}
	}
	if (err)
		return err;
	return journal(r->store, JOURNAL_CHECK, l->id, 0, 0, l->last_us, "checked invariants: %u highly, %u moderately, %u slightly, %u not correlated",
		       tally[CORRELATION_HIGHLY], tally[CORRELATION_MODERATELY], tally[CORRELATION_SLIGHTLY], tally[CORRELATION_NOT]);
}
