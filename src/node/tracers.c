#include "node/tracers.h"

#include <unistd.h>

#include "base/log.h"
#include "inject/threads.h"
#include "node/learning.h"
#include "node/supervisor.h"

bool tracers_matter(const struct guard_options *o)
{
	return o->redirect_all || o->learn_full || o->learn_percent || o->flip || o->provoke || o->strict;
}

static void is_traced(struct family *f)
{
	int64_t began = clock_us();
	f->traced_us = began;
	f->is_traced = true;
	if (!f->image.direct_calls)
		return;
	size_t calls = image_lead_calls_back(&f->image);
	log_debug("%s is traced: %zu calls led back in %ld us", f->program, calls, clock_us() - began);
}

static bool has_thread(const struct family *f, pid_t tid)
{
	for (size_t i = 0; i < f->processes.count; i++)
		if (process_has_thread(f->processes.at[i].pid, tid))
			return true;
	return false;
}

void tracers_announced(struct supervisor *s, pid_t tid)
{
	for (size_t i = 0; i < s->families.count; i++)
		if (has_thread(s->families.at[i], tid))
			is_traced(s->families.at[i]);
}

static bool is_foreign(pid_t tracer)
{
	return tracer && tracer != getpid();
}

/* Debuggers trace all threads, the first one too. A few processes a tick. */
static bool has_tracer(struct family *f)
{
	enum { A_TICK = 4 };
	for (size_t i = 0; i < A_TICK && i < f->processes.count; i++) {
		pid_t pid = f->processes.at[f->next_tracee++ % f->processes.count].pid;
		if (is_foreign(thread_tracer(pid, pid)))
			return true;
	}
	return false;
}

static bool any_thread_has(const struct family *f)
{
	bool any = false;
	for (size_t i = 0; i < f->processes.count && !any; i++) {
		tid_list tids = {0};
		threads_list(f->processes.at[i].pid, &tids);
		for (size_t k = 0; k < tids.count && !any; k++)
			any = is_foreign(thread_tracer(f->processes.at[i].pid, tids.at[k]));
		vec_free(&tids);
	}
	return any;
}

/* One that is announced may take a moment to come. */
static void look_at(struct supervisor *s, struct family *f)
{
	enum { MOMENT_US = 2000000 };
	if (!f->is_traced && has_tracer(f))
		is_traced(f);
	if (!f->is_traced || clock_us() - f->traced_us < MOMENT_US)
		return;
	f->traced_us = clock_us();
	f->is_traced = any_thread_has(f);
	if (!f->is_traced)
		learning_may_weave(s);
}

void tracers_tick(struct supervisor *s)
{
	for (size_t i = 0; i < s->families.count; i++)
		look_at(s, s->families.at[i]);
}
