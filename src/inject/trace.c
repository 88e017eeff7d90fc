#include "inject/trace.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

int trace_seize(pid_t tid)
{
	return ptrace(PTRACE_SEIZE, tid, NULL, (void *)(long)PTRACE_O_TRACEEXEC) ? -errno : 0;
}

static enum trace_stop classify(int status, int *signal)
{
	if (WIFEXITED(status) || WIFSIGNALED(status))
		return TRACE_GONE;
	if (!WIFSTOPPED(status))
		return TRACE_NONE;
	*signal = WSTOPSIG(status);
	int event = status >> 16;
	if (event == PTRACE_EVENT_EXEC)
		return TRACE_EXEC;
	if (event == PTRACE_EVENT_STOP)
		return TRACE_GROUP;
	return *signal == SIGTRAP ? TRACE_TRAPPED : TRACE_SIGNAL;
}

static int64_t deadline_ms; /* CLOCK_MONOTONIC; 0: none */

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static void on_alarm(int signal)
{
}

/* The alarm comes again and again: one that comes before the wait has begun must not be the last. */
void trace_deadline(unsigned milliseconds)
{
	enum { EVERY_US = 20000 };
	struct sigaction interrupt = {.sa_handler = on_alarm};
	struct itimerval alarm = {0};
	if (milliseconds) {
		sigaction(SIGALRM, &interrupt, NULL);
		alarm.it_interval.tv_usec = EVERY_US;
		alarm.it_value.tv_sec = milliseconds / 1000;
		alarm.it_value.tv_usec = milliseconds % 1000 * 1000;
	}
	deadline_ms = milliseconds ? now_ms() + milliseconds : 0;
	setitimer(ITIMER_REAL, &alarm, NULL);
}

enum trace_stop trace_next(pid_t tid, bool wait, int *signal)
{
	int status;
	pid_t got;
	do
		got = waitpid(tid, &status, __WALL | (wait ? 0 : WNOHANG));
	while (got < 0 && errno == EINTR && (!deadline_ms || now_ms() < deadline_ms));
	if (got == 0 || (got < 0 && errno == EINTR))
		return TRACE_NONE;
	return got < 0 ? TRACE_GONE : classify(status, signal);
}

int trace_resume(pid_t tid, int signal)
{
	return ptrace(PTRACE_CONT, tid, NULL, (void *)(long)signal) ? -errno : 0;
}

/* One that was killed meanwhile can't be detached from: its parent hears of its end when the tracer has. */
void trace_detach(pid_t tid, int signal)
{
	int status;
	if (ptrace(PTRACE_DETACH, tid, NULL, (void *)(long)signal) && errno == ESRCH)
		while (waitpid(tid, &status, __WALL) < 0 && errno == EINTR)
			;
}

void trace_interrupt(pid_t tid)
{
	ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
}

static bool is_segment(size_t offset)
{
	return offset == offsetof(struct user_regs_struct, cs) || offset == offsetof(struct user_regs_struct, ss) ||
	       offset >= offsetof(struct user_regs_struct, fs_base);
}

int trace_set_registers(pid_t tid, const struct user_regs_struct *registers)
{
	struct user_regs_struct now;
	if (ptrace(PTRACE_GETREGS, tid, NULL, &now))
		return -errno;
	for (size_t at = 0; at < sizeof now; at += 8) {
		unsigned long was = *(unsigned long *)((char *)&now + at), value = *(const unsigned long *)((const char *)registers + at);
		if (value != was && !is_segment(at) && ptrace(PTRACE_POKEUSER, tid, offsetof(struct user, regs) + at, value))
			return -errno;
	}
	return 0;
}

/* The kernel takes them in this structure's order, in which the gs base is behind all that matters here. */
int trace_put_registers(pid_t tid, const struct user_regs_struct *registers)
{
	const unsigned long upper = 1ul << 47;
	if (!ptrace(PTRACE_SETREGS, tid, NULL, registers) || (errno == EIO && registers->gs_base >= upper))
		return 0;
	return -errno;
}
