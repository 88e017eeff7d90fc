#include "inject/threads.h"

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "inject/trace.h"

enum { ROUND_NS = 50000, MASK_SIZE = 8 };

int64_t monotonic_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ll + now.tv_nsec / 1000;
}

/* A field of /proc/PID/task/TID/status, or -1. */
static int read_status(pid_t pid, pid_t tid, const char *field, char *out, size_t size)
{
	char name[64], line[512];
	size_t length = strlen(field);
	int found = -1;
	snprintf(name, sizeof name, "/proc/%d/task/%d/status", pid, tid);
	FILE *f = fopen(name, "re");
	while (f && found && fgets(line, sizeof line, f))
		if (!strncmp(line, field, length) && line[length] == ':') {
			snprintf(out, size, "%s", line + length + 1 + strspn(line + length + 1, " \t"));
			found = 0;
		}
	if (f)
		fclose(f);
	return found;
}

pid_t guest_number(pid_t pid, pid_t tid)
{
	char text[256];
	if (read_status(pid, tid, "NSpid", text, sizeof text))
		return 0;
	text[strcspn(text, "\n")] = 0;
	const char *last = strrchr(text, '\t');
	return atoi(last ? last + 1 : text);
}

bool thread_has_ended(pid_t pid, pid_t tid)
{
	char state[32];
	return read_status(pid, tid, "State", state, sizeof state) || *state == 'Z' || *state == 'X';
}

pid_t thread_tracer(pid_t pid, pid_t tid)
{
	char tracer[32];
	return read_status(pid, tid, "TracerPid", tracer, sizeof tracer) ? 0 : atoi(tracer);
}

void threads_list(pid_t pid, tid_list *out)
{
	char name[32];
	snprintf(name, sizeof name, "/proc/%d/task", pid);
	DIR *d = opendir(name);
	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));) {
		pid_t tid = atoi(e->d_name);
		if (tid > 0)
			vec_push(out, tid);
	}
	closedir(d);
}

static struct thread *find(struct threads *t, pid_t tid)
{
	for (size_t i = 0; i < t->all.count; i++)
		if (t->all.at[i].tid == tid && !t->all.at[i].is_gone)
			return &t->all.at[i];
	return NULL;
}

/* Threads that did not stop in time. A traced thread can't be left before it has. */
static VEC(pid_t) late;

static bool was_late(pid_t tid)
{
	for (size_t i = 0; i < late.count; i++)
		if (late.at[i] == tid) {
			late.at[i] = late.at[--late.count];
			return true;
		}
	return false;
}

static int seize(struct threads *t, pid_t tid)
{
	struct thread one = {.tid = tid, .since_us = monotonic_us()};
	if (!was_late(tid) && ptrace(PTRACE_SEIZE, tid, NULL, (void *)(long)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC))) {
		int status = -errno;
		if (status == -ESRCH || thread_has_ended(t->pid, tid))
			return 0;
		return thread_tracer(t->pid, tid) > 0 ? -EBUSY : status;
	}
	one.is_gone = ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) != 0;
	if (!one.is_gone)
		vec_push(&t->all, one);
	return 0;
}

/* Seizes the threads that are there and not known yet; their number, or -errno. */
static int seize_new(struct threads *t)
{
	tid_list tids = {0};
	int fresh = 0, status = 0;
	threads_list(t->pid, &tids);
	if (!tids.count)
		status = -ESRCH;
	for (size_t i = 0; i < tids.count && !status; i++) {
		if (find(t, tids.at[i]))
			continue;
		size_t before = t->all.count;
		status = seize(t, tids.at[i]);
		fresh += t->all.count != before;
	}
	vec_free(&tids);
	return status ? status : fresh;
}

int thread_note_stopped(struct thread *one)
{
	one->is_stopped = true;
	if (ptrace(PTRACE_GETREGS, one->tid, NULL, &one->regs) || ptrace(PTRACE_GETSIGMASK, one->tid, (void *)(long)MASK_SIZE, &one->real_mask))
		return -ESRCH;
	one->mask = one->real_mask;
	return 0;
}

/* What has become of it so far. */
static int look(struct thread *one)
{
	int signal;
	switch (trace_next(one->tid, false, &signal)) {
	case TRACE_GROUP:
		one->in_group_stop |= signal != SIGTRAP;
		return thread_note_stopped(one);
	case TRACE_SIGNAL: /* its own, with which the kernel has forgotten our interrupt */
	case TRACE_TRAPPED:
		trace_resume(one->tid, signal);
		trace_interrupt(one->tid);
		return 0;
	case TRACE_GONE:
		one->is_gone = true;
		return 0;
	case TRACE_EXEC:
		trace_detach(one->tid, 0);
		one->is_gone = true;
		return -ECHILD;
	case TRACE_NONE:
		break;
	}
	return 0;
}

static int await_stops(struct threads *t, int64_t deadline)
{
	struct timespec pause = {0, ROUND_NS};
	for (;;) {
		size_t running = 0;
		for (size_t i = 0; i < t->all.count; i++) {
			struct thread *one = &t->all.at[i];
			int status = one->is_stopped || one->is_gone ? 0 : look(one);
			if (status)
				return status;
			running += !one->is_stopped && !one->is_gone;
		}
		if (!running)
			return 0;
		if (monotonic_us() > deadline)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
}

bool threads_tend(void)
{
	int signal = 0;
	for (size_t i = 0; i < late.count; i++) {
		enum trace_stop how = trace_next(late.at[i], false, &signal);
		if (how == TRACE_NONE)
			continue;
		if (how != TRACE_GONE)
			trace_detach(late.at[i], how == TRACE_SIGNAL || how == TRACE_TRAPPED ? signal : 0);
		late.at[i] = late.at[--late.count];
		i--;
	}
	return late.count;
}

static bool is_fault(const siginfo_t *info)
{
	static const int signals[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV};
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		if (info->si_signo == signals[i])
			return info->si_code > 0;
	return false;
}

bool thread_has_faulted(const struct thread *one)
{
	enum { AT_ONCE = 16 };
	siginfo_t pending[AT_ONCE];
	long got;
	for (uint64_t from = 0;; from += got) {
		struct __ptrace_peeksiginfo_args which = {.off = from, .nr = AT_ONCE};
		got = ptrace(PTRACE_PEEKSIGINFO, one->tid, &which, pending);
		for (long i = 0; i < got; i++)
			if (is_fault(&pending[i]))
				return true;
		if (got < AT_ONCE)
			return false;
	}
}

static int stop(struct threads *t, pid_t pid, pid_t only, int timeout_ms)
{
	int64_t deadline = monotonic_us() + timeout_ms * 1000ll;
	*t = (struct threads){.pid = pid};
	int status, fresh = 0;
	do {
		status = fresh = only ? seize(t, only) : seize_new(t);
		if (status >= 0)
			status = await_stops(t, deadline);
	} while (status >= 0 && fresh > 0);
	size_t stopped = 0;
	for (size_t i = 0; i < t->all.count && status >= 0; i++) {
		t->all.at[i].guest_tid = t->all.at[i].is_stopped ? guest_number(pid, t->all.at[i].tid) : 0;
		stopped += t->all.at[i].is_stopped;
	}
	if (status >= 0 && !stopped)
		status = -ESRCH;
	if (status < 0)
		threads_release(t);
	return status < 0 ? status : 0;
}

int threads_stop(struct threads *t, pid_t pid, int timeout_ms)
{
	return stop(t, pid, 0, timeout_ms);
}

int threads_stop_one(struct threads *t, pid_t pid, pid_t tid, int timeout_ms)
{
	return stop(t, pid, tid, timeout_ms);
}

/* System calls that the kernel ends with EINTR even when no handler ran. */
static bool ends_early(long number)
{
	static const short calls[] = {SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_semop, SYS_semtimedop, SYS_rt_sigtimedwait, SYS_io_getevents,
				      SYS_read, SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg, SYS_accept, SYS_accept4, SYS_io_uring_enter};
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (calls[i] == number)
			return true;
	return false;
}

/* A signal that the thread is about to receive. */
static bool has_signal(pid_t pid, const struct thread *one)
{
	static const char *const fields[] = {"SigPnd", "ShdPnd"};
	char text[64];
	for (int i = 0; i < 2; i++)
		if (!read_status(pid, one->tid, fields[i], text, sizeof text) && strtoull(text, NULL, 16) & ~one->mask)
			return true;
	return false;
}

static void restart_call(pid_t pid, struct thread *one)
{
	enum { SYSCALL_SIZE = 2 };
	long number = (long)one->regs.orig_rax;
	if (number < 0 || (long)one->regs.rax != -EINTR || !ends_early(number) || has_signal(pid, one))
		return;
	one->regs.rax = number;
	one->regs.orig_rax = -1;
	one->regs.rip -= SYSCALL_SIZE;
	one->is_moved = true;
}

void thread_release(struct threads *t, struct thread *one)
{
	if (!one->is_stopped && !one->is_gone)
		vec_push(&late, one->tid);
	if (!one->is_stopped || one->is_gone)
		return;
	restart_call(t->pid, one);
	if (one->mask != one->real_mask)
		ptrace(PTRACE_SETSIGMASK, one->tid, (void *)(long)MASK_SIZE, &one->mask);
	if (one->is_moved)
		trace_put_registers(one->tid, &one->regs);
	trace_detach(one->tid, 0);
	one->is_gone = true;
	int64_t stopped = monotonic_us() - one->since_us;
	if (stopped > t->longest_us)
		t->longest_us = stopped;
	if (one->owes_stop)
		kill(t->pid, SIGSTOP);
}

void threads_release(struct threads *t)
{
	for (size_t i = 0; i < t->all.count; i++)
		thread_release(t, &t->all.at[i]);
	vec_free(&t->all);
}
