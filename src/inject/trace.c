#include "inject/trace.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

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

enum trace_stop trace_next(pid_t tid, bool wait, int *signal)
{
	int status;
	pid_t got;
	do
		got = waitpid(tid, &status, __WALL | (wait ? 0 : WNOHANG));
	while (got < 0 && errno == EINTR);
	if (got == 0)
		return TRACE_NONE;
	return got < 0 ? TRACE_GONE : classify(status, signal);
}

int trace_resume(pid_t tid, int signal)
{
	return ptrace(PTRACE_CONT, tid, NULL, (void *)(long)signal) ? -errno : 0;
}

void trace_detach(pid_t tid, int signal)
{
	ptrace(PTRACE_DETACH, tid, NULL, (void *)(long)signal);
}

void trace_stop_and_detach(pid_t tid)
{
	int signal;
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL))
		return;
	switch (trace_next(tid, true, &signal)) {
	case TRACE_SIGNAL:
	case TRACE_TRAPPED:
		trace_detach(tid, signal);
		break;
	case TRACE_GONE:
		break;
	default:
		trace_detach(tid, 0);
	}
}
