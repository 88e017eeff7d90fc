/* The short stays of ptrace: around an exec, and no longer. */
#ifndef INJECT_TRACE_H
#define INJECT_TRACE_H

#include <stdbool.h>
#include <sys/types.h>

enum trace_stop {
	TRACE_NONE,     /* nothing yet */
	TRACE_EXEC,     /* stopped, a new program is mapped */
	TRACE_TRAPPED,  /* stopped by SIGTRAP */
	TRACE_GROUP,    /* stopped by PTRACE_INTERRUPT or with its group */
	TRACE_SIGNAL,   /* stopped to receive a signal: in `signal` */
	TRACE_GONE,     /* ended */
};

/* Attaches without stopping the thread. -EPERM: not allowed (another user's, another tracer, a hardened kernel). */
int trace_seize(pid_t tid) __attribute__((warn_unused_result));
/* wait: block until the thread stops; else return TRACE_NONE at once. */
enum trace_stop trace_next(pid_t tid, bool wait, int *signal);
/* Lets a stopped thread go on, with a signal delivered or 0. */
int trace_resume(pid_t tid, int signal);
void trace_detach(pid_t tid, int signal);
/* Stops a running traced thread, then detaches; signals that came meanwhile are delivered. */
void trace_stop_and_detach(pid_t tid);

#endif
