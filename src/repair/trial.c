#include "repair/trial.h"

#include "repair/describe.h"
#include "repair/journal.h"

#include <errno.h>

struct trial *trial_find(struct repair *r, uint64_t patch, pid_t pid)
{
	for (size_t i = 0; i < r->trials.count; i++)
		if (r->trials.at[i].patch == patch && r->trials.at[i].pid == pid)
			return &r->trials.at[i];
	return NULL;
}

static int start(struct repair *r, struct trial t)
{
	struct location l;
	int err = store_location_get(r->store, t.location, &l);
	if (err)
		return err;
	t.last_us = t.since_us;
	t.end_us = t.since_us + (l.monitor == MONITOR_HANG ? r->settings.hang_window_us : r->settings.success_window_us);
	vec_push(&r->trials, t);
	return 0;
}

int trial_open(struct repair *r, const struct patch *p, pid_t pid, pid_t tid, uint64_t cfa, int64_t time_us)
{
	struct trial *t = trial_find(r, p->id, pid);
	char text[256];
	if (t) {
		t->last_us = time_us;
		t->acted = t->served ? 1 : t->acted + 1;
		t->served = 0;
		t->tid = tid;
		t->cfa = cfa;
		return 0;
	}
	int err = start(r, (struct trial){.patch = p->id, .location = p->failure, .pid = pid, .tid = tid, .cfa = cfa, .since_us = time_us, .acted = 1});
	if (err)
		return err;
	return journal(r->store, JOURNAL_ACTIVATION, p->failure, p->id, pid, time_us, "patch %llu acted: %s", (unsigned long long)p->id,
		       describe_patch(p, text, sizeof text));
}

static void drop_at(struct repair *r, size_t i)
{
	r->trials.at[i] = r->trials.at[--r->trials.count];
}

void trial_drop(struct repair *r, uint64_t patch, pid_t pid)
{
	struct trial *t = trial_find(r, patch, pid);
	if (t)
		drop_at(r, t - r->trials.at);
}

void trial_drop_process(struct repair *r, pid_t pid)
{
	for (size_t i = r->trials.count; i-- > 0;)
		if (r->trials.at[i].pid == pid)
			drop_at(r, i);
}

struct recovery {
	struct repair *r;
	int64_t oldest_us;
};

static int recover_one(void *context, const struct event *e)
{
	struct recovery *recovery = context;
	struct repair *r = recovery->r;
	if (e->time_us <= recovery->oldest_us)
		return 1;
	if (trial_find(r, e->patch, e->pid) || !r->host.guards(r->host.context, e->pid))
		return 0;
	int err = start(r, (struct trial){.patch = e->patch, .location = e->location, .pid = e->pid, .since_us = e->time_us});
	return err == -ENOENT ? 0 : err;
}

int trial_recover(struct repair *r, int64_t now_us)
{
	struct recovery recovery = {r, now_us - r->settings.hang_window_us - r->settings.success_window_us};
	int err = store_events_of(r->store, JOURNAL_ACTIVATION, 0, 0, true, recover_one, &recovery);
	return err < 0 ? err : 0;
}

static int take_time(void *context, const struct event *e)
{
	*(int64_t *)context = e->time_us;
	return 1;
}

int trial_first_us(struct repair *r, uint64_t patch, int64_t *out)
{
	*out = INT64_MAX;
	int err = store_events_of(r->store, JOURNAL_ACTIVATION, 0, patch, false, take_time, out);
	return err < 0 ? err : 0;
}
