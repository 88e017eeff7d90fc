/* The entry points other than repair_failure(): each is one transaction over the store, then the guests are brought up to date. */
#include "repair/repair.h"

#include "repair/blame.h"
#include "repair/checks.h"
#include "repair/evaluate.h"
#include "repair/force.h"
#include "repair/private.h"
#include "repair/trial.h"

#include <errno.h>
#include <stdlib.h>

int repair_open(struct store *store, const struct repair_host *host, const struct repair_settings *settings, struct repair **out)
{
	struct repair *r = calloc(1, sizeof *r);
	if (!r)
		return -ENOMEM;
	r->store = store;
	r->host = *host;
	r->settings = settings ? *settings : repair_settings_default;
	*out = r;
	return 0;
}

void repair_close(struct repair *r)
{
	if (!r)
		return;
	vec_free(&r->trials);
	vec_free(&r->force);
	vec_free(&r->checks);
	vec_free(&r->streaks);
	free(r);
}

int repair_start(struct repair *r)
{
	int err = trial_recover(r, repair_now(r));
	return err ? err : force_sync(r);
}

int repair_reload(struct repair *r)
{
	return force_sync(r);
}

static int end(struct repair *r, int err)
{
	if (err) {
		store_rollback(r->store);
		return err;
	}
	err = store_commit(r->store);
	return err || !r->stale ? err : force_sync(r);
}

int repair_activation(struct repair *r, const struct activation *a)
{
	struct patch p;
	int err = store_begin(r->store);
	if (err)
		return err;
	err = store_patch_get(r->store, a->patch, &p);
	if (!err && a->count)
		err = store_patch_count(r->store, a->patch, 0, 0, a->count);
	/* The patch acts for the first time: the failure would have happened. */
	if (!err && a->count && !p.activations)
		err = blame_take_back(r, p.failure, a->pid);
	if (!err && a->count)
		err = trial_open(r, &p, a->pid, a->tid, a->cfa, a->time_us ? a->time_us : repair_now(r));
	if (err == -ENOENT) {
		store_rollback(r->store);
		return 0;
	}
	return end(r, err);
}

/* Ends every trial that `over` says is over. */
static int judge(struct repair *r, bool (*over)(const struct repair *r, const struct trial *t, const void *context), const void *context,
		 bool success, const char *why)
{
	for (size_t i = r->trials.count; i-- > 0;) {
		struct trial t = r->trials.at[i];
		if (!over(r, &t, context))
			continue;
		trial_drop(r, t.patch, t.pid);
		int err = success ? evaluate_succeeded(r, t.patch, t.pid, why) : evaluate_failed(r, t.patch, t.pid, why);
		if (err)
			return err;
	}
	return 0;
}

static bool any(struct repair *r, bool (*over)(const struct repair *r, const struct trial *t, const void *context), const void *context)
{
	for (size_t i = 0; i < r->trials.count; i++)
		if (over(r, &r->trials.at[i], context))
			return true;
	return false;
}

static bool of_process(const struct repair *r, const struct trial *t, const void *pid)
{
	return t->pid == *(const pid_t *)pid;
}

static bool past_window(const struct repair *r, const struct trial *t, const void *now_us)
{
	return *(const int64_t *)now_us >= t->end_us;
}

int repair_process_ended(struct repair *r, pid_t pid, bool normally)
{
	int err = store_begin(r->store);
	if (err)
		return err;
	err = checks_collect(r);
	if (!err)
		err = judge(r, of_process, &pid, normally, normally ? "the program ended normally after it had acted" : "the process died after it had acted");
	return end(r, err);
}

int repair_served(struct repair *r, pid_t pid, unsigned requests)
{
	for (size_t i = 0; i < r->trials.count; i++)
		if (r->trials.at[i].pid == pid)
			r->trials.at[i].served = requests;
	if (requests < r->settings.served_requests || !any(r, of_process, &pid))
		return 0;
	int err = store_begin(r->store);
	return err ? err : end(r, judge(r, of_process, &pid, true, "requests went on being served after it had acted"));
}

static int64_t collection_us(const struct repair *r)
{
	return r->checks.count ? r->collected_us + r->settings.collect_us : INT64_MAX;
}

int repair_tick(struct repair *r, int64_t now_us)
{
	bool collect = now_us >= collection_us(r);
	if (!collect && !any(r, past_window, &now_us))
		return 0;
	int err = store_begin(r->store);
	if (err)
		return err;
	if (collect) {
		r->collected_us = now_us;
		err = checks_collect(r);
	}
	if (!err)
		err = judge(r, past_window, &now_us, true, "nothing failed within the success window after it had acted");
	return end(r, err);
}

int64_t repair_next_us(const struct repair *r)
{
	int64_t next = collection_us(r);
	for (size_t i = 0; i < r->trials.count; i++)
		if (r->trials.at[i].end_us < next)
			next = r->trials.at[i].end_us;
	return next;
}
