#include "inject/filters.h"

#include <clearview/guest_signals.h>
#include <errno.h>
#include <linux/audit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "engine/zone.h"

#ifndef PTRACE_SECCOMP_GET_FILTER
#define PTRACE_SECCOMP_GET_FILTER 0x420c
#endif

enum { FILTER_MAX = 4096, SOME_FD = 3, MODE_STRICT = 1, MODE_FILTER = 2, WIPE_ON_FORK = 18 };
#define SOME_ADDRESS 0x7f0000000000ull

/* What is asked for, with arguments like those that will be passed. */
struct call {
	const char *name;
	int number;
	uint64_t argument[6];
};
#define CALL(name, ...) {#name, SYS_##name, {__VA_ARGS__}}

/* inject/attach.c, detach.c, handover.c, foothold.c */
static const struct call ours[] = {
	CALL(socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, SOME_ADDRESS),
	CALL(recvmsg, SOME_FD, SOME_ADDRESS, MSG_CMSG_CLOEXEC | MSG_DONTWAIT),
	CALL(close, SOME_FD),
	CALL(mmap, SOME_ADDRESS, ZONE_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED_NOREPLACE, SOME_FD, 0),
	CALL(mmap, SOME_ADDRESS, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, SOME_FD, 0),
	CALL(mmap, SOME_ADDRESS, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1ull, 0),
	CALL(munmap, SOME_ADDRESS, 4096),
	CALL(madvise, SOME_ADDRESS, 4096, WIPE_ON_FORK),
	CALL(rt_sigaction, SIGSEGV, SOME_ADDRESS, 0, 8),
	CALL(rt_sigprocmask, SIG_SETMASK, SOME_ADDRESS, 0, 8),
	CALL(sigaltstack, SOME_ADDRESS, SOME_ADDRESS),
	CALL(getpid),
};

/* guest/filter.c has what the blob lets itself make. */
static const struct call of_blob[] = {
	CALL(rt_sigreturn),
	CALL(gettid),
	CALL(getpid),
	CALL(futex, SOME_ADDRESS, 0 /* FUTEX_WAIT */, 0, SOME_ADDRESS),
	CALL(futex, SOME_ADDRESS, 1 /* FUTEX_WAKE */, 1),
	CALL(sched_yield),
	CALL(rt_sigprocmask, SIG_SETMASK, SOME_ADDRESS, 0, 8),
	CALL(rt_sigaction, SIGSEGV, SOME_ADDRESS, 0, 8),
	CALL(sigaltstack, SOME_ADDRESS, SOME_ADDRESS),
	CALL(munmap, SOME_ADDRESS, 4096),
	CALL(mprotect, SOME_ADDRESS, 4096, PROT_READ | PROT_WRITE),
	CALL(mmap, SOME_ADDRESS, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1ull, 0),
	CALL(kill, 1, 0),
};

/* inject/detach.c, foothold.c; more for signals that are held, which hardly any are. */
static const struct call leaving[] = {
	CALL(mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1ull, 0),
	CALL(munmap, SOME_ADDRESS, 4096),
	CALL(rt_sigaction, SIGSEGV, SOME_ADDRESS, 0, 8),
	CALL(rt_sigaction, SIGUSR1, SOME_ADDRESS, 0, 8),
	CALL(rt_sigprocmask, SIG_SETMASK, SOME_ADDRESS, 0, 8),
	CALL(sigaltstack, SOME_ADDRESS, 0),
};

/* All made at one address. */
struct call_set {
	const struct call *calls;
	size_t count;
	uint64_t at;
};

static int mode(pid_t pid, pid_t tid)
{
	char name[64], line[256];
	int found = 0;
	snprintf(name, sizeof name, "/proc/%d/task/%d/status", pid, tid);
	FILE *f = fopen(name, "re");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "Seccomp: %d", &found) == 1)
			break;
	if (f)
		fclose(f);
	return found;
}

bool filters_exist(pid_t pid)
{
	tid_list tids = {0};
	bool any = false;
	threads_list(pid, &tids);
	for (size_t i = 0; i < tids.count && !any; i++)
		any = mode(pid, tids.at[i]) != 0;
	vec_free(&tids);
	return any;
}

static bool lets_through(uint32_t answer)
{
	return (answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW || (answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_LOG;
}

/* The first call that is not let through; or NULL. */
static const char *forbidden(const struct sock_filter *program, unsigned length, const struct call_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		struct seccomp_data call = {.nr = set->calls[i].number, .arch = AUDIT_ARCH_X86_64, .instruction_pointer = set->at};
		for (int k = 0; k < 6; k++)
			call.args[k] = set->calls[i].argument[k];
		if (!lets_through(filter_answer(program, length, &call)))
			return set->calls[i].name;
	}
	return NULL;
}

/* One thread's filters. 0, -EACCES with the call's name, or another error: they can't be read. */
static int check(const struct thread *one, const struct call_set *sets, size_t count, const char **name)
{
	struct sock_filter program[FILTER_MAX];
	for (uint64_t n = 0;; n++) {
		long length = ptrace((enum __ptrace_request)PTRACE_SECCOMP_GET_FILTER, one->tid, (void *)n, NULL);
		if (length < 0)
			return n && errno == ENOENT ? 0 : errno == EACCES ? -EPERM : -errno;
		if (length > FILTER_MAX || ptrace((enum __ptrace_request)PTRACE_SECCOMP_GET_FILTER, one->tid, (void *)n, program) != length)
			return -E2BIG;
		for (size_t i = 0; i < count && !*name; i++)
			*name = forbidden(program, length, &sets[i]);
		if (*name)
			return -EACCES;
	}
}

static int allow(const struct threads *t, const struct call_set *sets, size_t count, const char *what, const char **why)
{
	static char text[160];
	const char *name = NULL;
	int status = 0;
	for (size_t i = 0; i < t->all.count && !status; i++) {
		const struct thread *one = &t->all.at[i];
		int how = one->is_gone ? 0 : mode(t->pid, one->tid);
		if (how == MODE_STRICT) {
			snprintf(text, sizeof text, "one of its threads is in strict seccomp mode, which forbids the system calls that %s needs", what);
			*why = text;
			return -EACCES;
		}
		if (how == MODE_FILTER)
			status = check(one, sets, count, &name);
	}
	if (name)
		snprintf(text, sizeof text, "its system call filters (seccomp) forbid %s, which %s needs", name, what);
	else if (status)
		snprintf(text, sizeof text, "it has system call filters (seccomp) that can't be read: do this as root, from outside of containers");
	*why = text;
	return status;
}

int filters_allow(const struct threads *t, const struct boot_plan *plan, uint64_t foothold, const char **why)
{
	const struct call_set sets[] = {{ours, sizeof ours / sizeof *ours, foothold}, {of_blob, sizeof of_blob / sizeof *of_blob, plan->base}};
	return allow(t, sets, 2, "guarding", why);
}

int filters_allow_leaving(const struct threads *t, uint64_t foothold, const char **why)
{
	return allow(t, &(struct call_set){leaving, sizeof leaving / sizeof *leaving, foothold}, 1, "letting go", why);
}
