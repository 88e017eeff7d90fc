#include "inject/remap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <time.h>
#include <unistd.h>

#include "inject/memory.h"
#include "inject/trace.h"

enum { STOP_ROUNDS = 2000, STOP_PAUSE_NS = 1000000, SCRATCH_SIZE = 64, CALL_ROUNDS = 1000 /* a signal each, or it faults */ };

struct stay {
	pid_t tid;
	struct user_regs_struct saved;
	uint64_t syscall_at, scratch;
	uint64_t pending; /* signals that came meanwhile */
};

static bool is_filtered(pid_t pid)
{
	char name[32], line[128];
	int mode = 0;
	snprintf(name, sizeof name, "/proc/%d/status", pid);
	FILE *f = fopen(name, "re");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "Seccomp: %d", &mode) == 1)
			break;
	if (f)
		fclose(f);
	return mode != 0;
}

static void note_signal(struct stay *s, int signal)
{
	s->pending |= 1ull << (signal - 1);
}

static int stop(struct stay *s)
{
	struct timespec pause = {0, STOP_PAUSE_NS};
	int signal, status = trace_seize(s->tid);
	if (status)
		return status;
	if (ptrace(PTRACE_INTERRUPT, s->tid, NULL, NULL))
		return -errno;
	for (int i = 0; i < STOP_ROUNDS; i++) {
		switch (trace_next(s->tid, false, &signal)) {
		case TRACE_NONE:
			nanosleep(&pause, NULL);
			break;
		case TRACE_GONE:
			return -ESRCH;
		case TRACE_GROUP:
			return ptrace(PTRACE_GETREGS, s->tid, NULL, &s->saved) ? -errno : 0;
		case TRACE_SIGNAL:
		case TRACE_TRAPPED: /* its own, with which the kernel has forgotten our interrupt */
			trace_resume(s->tid, signal);
			trace_interrupt(s->tid);
			break;
		case TRACE_EXEC:
			trace_detach(s->tid, 0);
			return -ESRCH;
		}
	}
	return -ETIMEDOUT; /* it is let go as soon as this process ends */
}

/* One system call in the stopped thread: a single step over the instruction. */
static long call(struct stay *s, long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct user_regs_struct regs = s->saved;
	int signal;
	regs.rip = s->syscall_at;
	regs.orig_rax = -1; /* the call that we interrupted must not be restarted in here */
	regs.rax = number;
	regs.rdi = a;
	regs.rsi = b;
	regs.rdx = c;
	regs.r10 = d;
	regs.r8 = e;
	regs.r9 = f;
	for (int i = 0;; i++) {
		if (i == CALL_ROUNDS || trace_set_registers(s->tid, &regs) || ptrace(PTRACE_SINGLESTEP, s->tid, NULL, NULL))
			return -ESRCH;
		enum trace_stop how = trace_next(s->tid, true, &signal);
		if (how == TRACE_TRAPPED)
			break;
		if (how == TRACE_GONE)
			return -ESRCH;
		if (how == TRACE_NONE)
			return -ETIMEDOUT;
		if (how == TRACE_SIGNAL) /* before the step: once more */
			note_signal(s, signal);
	}
	return ptrace(PTRACE_GETREGS, s->tid, NULL, &regs) ? -ESRCH : (long)regs.rax;
}

static long map_piece(struct stay *s, const struct remap_piece *p)
{
	char path[SCRATCH_SIZE] = {0};
	snprintf(path, sizeof path, "/proc/%d/fd/%d", getpid(), p->fd);
	int status = memory_write(s->tid, s->scratch, path, sizeof path);
	if (status)
		return status;
	long fd = call(s, SYS_open, s->scratch, p->protection & PROT_WRITE ? O_RDWR : O_RDONLY, 0, 0, 0, 0);
	if (fd < 0)
		return fd;
	long at = call(s, SYS_mmap, p->address, p->size, p->protection, MAP_SHARED | MAP_FIXED, fd, p->offset);
	call(s, SYS_close, fd, 0, 0, 0, 0, 0);
	return at < 0 && at > -4096 ? at : 0;
}

static void leave(struct stay *s)
{
	trace_set_registers(s->tid, &s->saved);
	trace_detach(s->tid, 0);
	for (int n = 1; n < 64; n++)
		if (s->pending & 1ull << (n - 1))
			kill(s->tid, n);
}

int remap_process(pid_t pid, uint64_t syscall_at, uint64_t scratch, const struct remap_piece *pieces, size_t count)
{
	struct stay s = {.tid = pid, .syscall_at = syscall_at, .scratch = scratch};
	if (is_filtered(pid))
		return -EACCES;
	long status = stop(&s);
	if (status)
		return status;
	for (size_t i = 0; i < count && !status; i++)
		status = map_piece(&s, &pieces[i]);
	leave(&s);
	return status;
}
