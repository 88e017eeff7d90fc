/* Following execs: the thread is traced from the moment it asks to the moment the new program is set up, and no longer. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "inject/memory.h"
#include "inject/trace.h"
#include "node/supervisor.h"

enum { GIVE_UP_US = 10000000 };

static void forget(struct supervisor *s, size_t i)
{
	s->followed.at[i] = s->followed.at[--s->followed.count];
}

static struct followed *find(struct supervisor *s, pid_t tid)
{
	for (size_t i = 0; i < s->followed.count; i++)
		if (s->followed.at[i].tid == tid)
			return &s->followed.at[i];
	return NULL;
}

void follow_let_go(struct supervisor *s, pid_t pid, pid_t tid)
{
	struct followed *f = find(s, tid);
	if (f)
		f->interrupted = true;
	else
		vec_push(&s->followed, (struct followed){.tid = tid, .pid = pid, .since_us = clock_us(), .interrupted = true});
	trace_interrupt(tid);
}

/* A number that a guest wrote down: only a thread of its own is followed. Looked at again when it can't become another's any more. */
int follow_exec(struct supervisor *s, pid_t pid, pid_t tid)
{
	struct followed *known = find(s, tid);
	if (known && known->pid == pid) { /* asked again before the end of the last time was over */
		known->interrupted = false;
		known->since_us = clock_us();
		return 0;
	}
	int status = process_has_thread(pid, tid) ? trace_seize(tid) : -ESRCH;
	if (!status && !process_has_thread(pid, tid)) {
		follow_let_go(s, pid, tid);
		status = -ESRCH;
	}
	if (status) {
		log_info("exec in %d is not followed: %s", pid, strerror(-status));
		return status;
	}
	vec_push(&s->followed, (struct followed){.tid = tid, .pid = pid, .since_us = clock_us()});
	return 0;
}

void follow_cancel(struct supervisor *s, pid_t pid, pid_t tid)
{
	enum { PATIENCE_MS = 100 };
	struct followed *f = find(s, tid);
	int signal = 0;
	if (!f || f->pid != pid)
		return;
	follow_let_go(s, pid, tid);
	trace_deadline(PATIENCE_MS);
	enum trace_stop stop = trace_next(tid, true, &signal);
	trace_deadline(0);
	if (stop == TRACE_NONE || stop == TRACE_EXEC)
		return; /* it may not stop for long, or be on its way again: follow_stops() sees to it */
	if (stop != TRACE_GONE)
		trace_detach(tid, stop == TRACE_GROUP ? 0 : signal);
	forget(s, f - s->followed.at);
}

static void leave_old_family(struct supervisor *s, pid_t pid)
{
	for (size_t i = 0; i < s->families.count; i++)
		if (family_process(s->families.at[i], pid))
			family_remove_process(s->families.at[i], pid);
}

/* Stopped at the exec: the new program becomes a family, or goes on natively. */
static void at_exec(struct supervisor *s, pid_t pid)
{
	struct family *f;
	const char *why;
	int signal;
	leave_old_family(s, pid);
	memory_forget(pid);
	log_debug("process %d is at an exec", pid);
	int status = family_start(s, pid, &f, &signal, &why);
	log_debug("process %d is set up%s", pid, status ? ": no" : "");
	if (!status)
		log_debug("zones at %#lx and %#lx, blob at %#lx", f->plan.zone[0], f->plan.zone[1], f->plan.base);
	if (status)
		log_warning("process %d goes on without protection: %s: %s", pid, why, strerror(-status));
	else
		vec_push(&s->families, f);
	trace_detach(pid, s->options.stopped ? SIGSTOP : signal);
	s->options.stopped = false; /* only the first one */
}

/* True: it is followed no longer. */
static bool go_on(const struct followed *f, pid_t tid, int signal)
{
	if (f->interrupted)
		trace_detach(tid, signal);
	else
		trace_resume(tid, signal);
	return f->interrupted;
}

/* One stop of a followed thread; true when it is followed no longer. An exec by a thread other than the first takes over the first one's id. */
static bool handle_stop(struct supervisor *s, struct followed *f)
{
	int signal = 0;
	pid_t tid = f->tid;
	enum trace_stop stop = trace_next(tid, false, &signal);
	if (stop == TRACE_GONE && f->pid != tid) {
		tid = f->pid;
		stop = trace_next(tid, false, &signal);
	}
	switch (stop) {
	case TRACE_NONE:
		if (f->pid != tid && (stop = trace_next(f->pid, false, &signal)) == TRACE_EXEC) {
			at_exec(s, f->pid);
			return true;
		}
		if (!f->interrupted && clock_us() - f->since_us > GIVE_UP_US) {
			f->interrupted = true;
			trace_interrupt(tid);
		}
		return false;
	case TRACE_EXEC:
		at_exec(s, tid);
		return true;
	case TRACE_GONE:
		return true;
	case TRACE_SIGNAL:
	case TRACE_TRAPPED:
		return go_on(f, tid, signal);
	case TRACE_GROUP:
		return go_on(f, tid, 0);
	}
	return false;
}

void follow_stops(struct supervisor *s)
{
	for (size_t i = 0; i < s->followed.count; i++)
		if (handle_stop(s, &s->followed.at[i]))
			forget(s, i--);
}
