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

struct user_regs_struct;

/* Attaches without stopping the thread. -EPERM: not allowed (another user's, another tracer, a hardened kernel). */
int trace_seize(pid_t tid) __attribute__((warn_unused_result));
/* wait: block until the thread stops, or the deadline; else return TRACE_NONE at once. */
enum trace_stop trace_next(pid_t tid, bool wait, int *signal);
/* Lets a stopped thread go on, with a signal delivered or 0. */
int trace_resume(pid_t tid, int signal);
void trace_detach(pid_t tid, int signal);
/* Until when trace_next waits: a thread that sleeps where no signal wakes it (behind vfork, in a page fault that somebody else has to resolve) doesn't
 * stop. In milliseconds from now; 0: for ever. Takes SIGALRM. */
void trace_deadline(unsigned milliseconds);
/* Has a running thread stop (TRACE_GROUP comes), so that it can be detached. */
void trace_interrupt(pid_t tid);

/* Sets a stopped thread's registers, but for its segments: PTRACE_SETREGS refuses a gs base in the upper half, as the shadow monitor's is, even if it stays
 * the same. Returns 0 or -errno. */
int trace_set_registers(pid_t tid, const struct user_regs_struct *registers);
/* The same, all at once: whoever is killed meanwhile has set all or none. A gs base in the lower half is set, too. */
int trace_put_registers(pid_t tid, const struct user_regs_struct *registers);

#endif
