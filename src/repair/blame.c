#include "repair/blame.h"

#include "repair/describe.h"
#include "repair/evaluate.h"
#include "repair/journal.h"
#include "repair/trial.h"

#include <errno.h>
#include <stdio.h>

static bool at_location(const struct location *l, const struct failure *f)
{
	return l->monitor == f->monitor && !point_compare(&l->at, &f->at);
}

/* The activation in which the patch acted goes on, or has returned just now to a caller that goes on. */
static bool acted_on_this_stack(const struct repair *r, const struct failure *f, int64_t failed_us, const struct trial *t, const struct location *l)
{
	const struct failure *then = &l->last;
	bool recent = failed_us - t->last_us <= r->settings.on_the_spot_us && !t->served;
	if (t->tid != f->tid || !t->cfa)
		return false;
	for (unsigned n = 0; n < f->depth; n++) {
		const struct frame *frame = &f->stack[n];
		if (frame->cfa < t->cfa)
			continue;
		if (frame->cfa == t->cfa && frame->procedure == then->stack[then->location_frame].procedure)
			return true;
		if (frame->cfa > t->cfa)
			return recent;
	}
	return false;
}

/* Was the failure there before the patch ever acted? Then it is a defect of its own. */
static int is_independent(struct repair *r, const struct failure *f, uint64_t patch, bool *independent)
{
	struct location l;
	int64_t first;
	int err = store_location_find(r->store, f->monitor, &f->at, &l);
	*independent = false;
	if (err)
		return err == -ENOENT ? 0 : err;
	err = trial_first_us(r, patch, &first);
	*independent = !err && l.first_us < first;
	return err;
}

static int is_to_blame(struct repair *r, const struct failure *f, int64_t failed_us, const struct trial *t, bool *to_blame)
{
	struct location l;
	bool independent;
	int err = store_location_get(r->store, t->location, &l);
	*to_blame = false;
	if (err)
		return err == -ENOENT ? 0 : err;
	if (at_location(&l, f) || !acted_on_this_stack(r, f, failed_us, t, &l))
		return 0;
	err = is_independent(r, f, t->patch, &independent);
	*to_blame = !err && !independent;
	return err;
}

int blame_find_on_the_spot(struct repair *r, const struct failure *f, int64_t failed_us, struct trial *out, bool *found)
{
	*found = false;
	for (size_t i = 0; i < r->trials.count && !*found; i++) {
		*out = r->trials.at[i];
		if (out->pid != f->pid)
			continue;
		int err = is_to_blame(r, f, failed_us, out, found);
		if (err)
			return err;
	}
	return 0;
}

int blame_on_the_spot(struct repair *r, const struct failure *f, const struct trial *t)
{
	char at[128], why[256];
	snprintf(why, sizeof why, "the thread failed at %s because of it", describe_point(r->store, &f->at, at, sizeof at));
	trial_drop(r, t->patch, t->pid);
	return evaluate_failed(r, t->patch, t->pid, why);
}

int blame_windows(struct repair *r, const struct failure *f, uint64_t location, int64_t time_us)
{
	for (size_t i = r->trials.count; i-- > 0;) {
		struct trial t = r->trials.at[i];
		bool independent;
		if (t.pid != f->pid || t.location == location)
			continue;
		int err = is_independent(r, f, t.patch, &independent);
		if (err)
			return err;
		if (independent)
			continue;
		trial_drop(r, t.patch, t.pid);
		err = evaluate_failed(r, t.patch, t.pid, "the process failed elsewhere within the success window");
		if (!err)
			err = journal(r->store, JOURNAL_BLAME, location, t.patch, t.pid, time_us, "put down to patch %llu, which had acted before",
				      (unsigned long long)t.patch);
		if (err)
			return err;
	}
	return 0;
}

typedef VEC(uint64_t) id_list;

static int keep_patch(void *context, const struct event *e)
{
	vec_push((id_list *)context, e->patch);
	return 0;
}

int blame_take_back(struct repair *r, uint64_t location, pid_t pid)
{
	id_list blamed = {0};
	int err = store_events_of(r->store, JOURNAL_BLAME, location, 0, false, keep_patch, &blamed);
	for (size_t i = 0; !err && i < blamed.count; i++)
		if (!trial_find(r, blamed.at[i], pid))
			err = evaluate_absolve(r, blamed.at[i], "the failure put down to it happens without it");
	vec_free(&blamed);
	return err;
}
