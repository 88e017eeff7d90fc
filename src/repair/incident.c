/* repair_failure(): what a failure says about the patches that acted in that process before it, the next step at its location, and what becomes
 * of the thread. Three steps: one transaction that records and decides, bringing the guests up to date, and one that gives the verdict. A
 * supervisor killed in between leaves a location whose next patch is chosen; its successor puts it in force. */
#include "repair/blame.h"
#include "repair/describe.h"
#include "repair/evaluate.h"
#include "repair/force.h"
#include "repair/journal.h"
#include "repair/lifecycle.h"
#include "repair/rescue.h"
#include "repair/trial.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

/* --- Livelock. */

static unsigned streak_count(struct repair *r, const struct incident *in)
{
	for (size_t i = r->streaks.count; i-- > 0;) {
		struct streak *s = &r->streaks.at[i];
		if (in->now_us - s->since_us > r->settings.livelock_us)
			*s = r->streaks.at[--r->streaks.count];
		else if (s->pid == in->f->pid && s->tid == in->f->tid && s->location == in->location)
			return ++s->count;
	}
	vec_push(&r->streaks, (struct streak){in->f->pid, in->f->tid, in->location, in->now_us, 1});
	return 1;
}

/* --- The failure's own location. */

static int present(struct repair *r, struct incident *in, struct location *l)
{
	int err = store_location_find(r->store, in->f->monitor, &in->f->at, l);
	if (err && err != -ENOENT)
		return err;
	/* Only blocks of sites whose overruns have been seen before are guarded, so that accesses to them fault. */
	in->known = !err || (in->f->monitor == MONITOR_HEAP && in->f->signal == SIGSEGV);
	if (err)
		*l = (struct location){.monitor = in->f->monitor, .at = in->f->at, .state = LOCATION_DETECTED, .first_us = in->failed_us};
	l->presentations++;
	l->last = *in->f;
	l->last_us = in->failed_us;
	l->last.time_us = l->last_us;
	err = store_location_put(r->store, l);
	if (err || l->last.id == l->id)
		return err;
	l->last.id = l->id;
	return store_location_put(r->store, l);
}

/* Was the patch in force here there when the thread came by? A fault guard that was would have caught the fault. */
static bool was_in_time(struct repair *r, const struct incident *in, const struct force_entry *e, unsigned streak)
{
	const struct failure *f = in->f;
	if (!e || in->failed_us < e->since_us)
		return false;
	bool answers = (e->patch.guard == GUARD_FAULT && f->monitor == MONITOR_CRASH) || (e->patch.guard == GUARD_HEAP && f->monitor == MONITOR_HEAP);
	bool guards = answers && !point_compare(&e->patch.at, &f->at);
	return !guards || streak > 1;
}

/* Did another of the location's patches than the one in force make this thread go on just now? Then that is what has failed, and the one in
 * force had no chance yet. A rescue of some time ago says nothing about an attack of now. */
static bool has_just_acted(const struct repair *r, const struct incident *in, const struct trial *t, uint64_t in_force)
{
	if (t->pid != in->f->pid || t->location != in->location || t->patch == in_force)
		return false;
	return in->livelock || (t->tid == in->f->tid && in->failed_us - t->last_us <= r->settings.on_the_spot_us);
}

static int fail_rescues(struct repair *r, const struct incident *in, uint64_t in_force, bool *any)
{
	*any = false;
	for (size_t i = r->trials.count; i-- > 0;) {
		struct trial t = r->trials.at[i];
		if (!has_just_acted(r, in, &t, in_force))
			continue;
		*any = true;
		trial_drop(r, t.patch, t.pid);
		int err = evaluate_failed(r, t.patch, t.pid, "the failure happened again after it had acted");
		if (err)
			return err;
	}
	return 0;
}

/* The signal is what an abort's patch waits for, the watchdog's finding a hang's: it acts now, by the verdict. Again and again without a request
 * served is a thread that doesn't get on. */
static bool acts_by_verdict(struct repair *r, const struct incident *in, const struct patch *p, unsigned streak)
{
	const struct trial *t = trial_find(r, p->id, in->f->pid);
	if (p->guard != GUARD_FAULT || p->action == ACTION_RESTORE)
		return false;
	if (in->f->monitor == MONITOR_ABORT)
		return streak <= r->settings.livelock_aborts && (!t || t->acted < r->settings.livelock_aborts);
	return in->f->monitor == MONITOR_HANG && (!t || t->acted < r->settings.livelock_hangs);
}

static int advance(struct repair *r, struct incident *in, struct location *l)
{
	const struct force_entry *e = force_at(r, l->id);
	unsigned streak = streak_count(r, in);
	uint64_t in_force = e ? e->patch.id : 0;
	bool on_trial = trial_find(r, in_force, in->f->pid), rescued;
	bool in_time = was_in_time(r, in, e, streak);
	in->livelock = streak > r->settings.livelock_failures;
	if (e && acts_by_verdict(r, in, &e->patch, streak)) {
		in->livelock = false;
		in->fired = in_force;
		return 0;
	}
	int err = fail_rescues(r, in, in_force, &rescued);
	if (!err)
		err = store_location_get(r->store, l->id, l);
	if (err)
		return err;
	trial_drop(r, in_force, in->f->pid);
	return lifecycle_failure(r, l, on_trial || (in_time && !rescued));
}

static int record(struct repair *r, struct incident *in)
{
	struct trial culprit;
	struct location l;
	char at[128];
	bool found;
	int err = blame_find_on_the_spot(r, in->f, in->failed_us, &culprit, &found);
	if (err)
		return err;
	if (found) {
		in->elsewhere = in->known = true;
		in->location = culprit.location;
		in->cfa = culprit.cfa;
		in->livelock = streak_count(r, in) > r->settings.livelock_failures;
		return blame_on_the_spot(r, in->f, &culprit);
	}
	err = present(r, in, &l);
	if (err)
		return err;
	in->location = l.id;
	err = journal(r->store, JOURNAL_FAILURE, l.id, 0, in->f->pid, l.last_us, "%s at %s, presentation %u: %s", monitor_names[l.monitor],
		      describe_point(r->store, &l.at, at, sizeof at), l.presentations, in->f->facts);
	/* In this order: what is blamed now is not to be absolved by the same failure. */
	if (!err && l.presentations == 2)
		err = blame_take_back(r, l.id, in->f->pid);
	if (!err)
		err = blame_windows(r, in->f, l.id, l.last_us);
	return err ? err : advance(r, in, &l);
}

/* --- The verdict. */

static const char *outcome_of(const struct incident *in, const struct repair_verdict *v, const struct location *l)
{
	if (v->kind == REPAIR_RESUME_HERE)
		return "resumed";
	if (v->kind == REPAIR_RESCUE)
		return "rescued";
	if (in->livelock)
		return "died: failing again and again";
	return l->check_failures && l->state != LOCATION_PATCHED ? "died, checked" : "died";
}

static int conclude(struct repair *r, const struct incident *in, struct repair_verdict *v)
{
	struct location l;
	struct failure f = *in->f;
	int err = rescue_decide(r, in, v);
	if (!err)
		err = store_location_get(r->store, in->location, &l);
	if (err)
		return err;
	f.id = in->location;
	f.time_us = in->failed_us;
	err = store_occurrence_add(r->store, &f, outcome_of(in, v, &l));
	if (err || v->kind == REPAIR_DIE)
		return err;
	return journal(r->store, JOURNAL_FAILURE, in->location, v->patch, f.pid, in->now_us,
		       v->kind == REPAIR_RESCUE ? "the thread is rescued: it returns from frame %u" : "the thread goes on at the instruction, which is guarded now",
		       v->frame);
}

static int in_transaction(struct repair *r, int err)
{
	if (!err)
		return store_commit(r->store);
	store_rollback(r->store);
	return err;
}

int repair_failure(struct repair *r, const struct failure *f, struct repair_verdict *verdict)
{
	struct incident in = {.f = f, .now_us = repair_now(r)};
	in.failed_us = f->time_us ? f->time_us : in.now_us;
	*verdict = (struct repair_verdict){.kind = REPAIR_DIE};
	if (f->depth > STACK_DEPTH_MAX || (f->depth && f->location_frame >= f->depth) || (!f->depth && f->location_frame))
		return -EINVAL;
	int err = store_begin(r->store);
	if (err)
		return err;
	err = in_transaction(r, record(r, &in));
	if (!err)
		err = force_sync(r);
	if (!err)
		err = store_begin(r->store);
	if (err)
		return err;
	err = in_transaction(r, conclude(r, &in, verdict));
	if (err || verdict->kind == REPAIR_DIE) {
		verdict->kind = REPAIR_DIE;
		/* What was on trial there and is not to blame is not judged by this death. */
		trial_drop_process(r, f->pid);
	}
	return err;
}
