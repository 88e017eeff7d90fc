/* A tracer that comes to a thread of a running program: it finds it computing, is told of a breakpoint at the entry of a procedure that the thread calls all the time,
 * sets registers as it has read them, changes a result, and leaves; the program goes on.
 * build: -O2
 * build: -O2 -static
 * time: 60
 */
#include "behave.h"
#include <elf.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile long argument = 3, ended;
static int ready[2];

__attribute__((noinline)) static long procedure(long n)
{
	__asm__ volatile("" : "+r"(n));
	return n + 1;
}

static void *compute(void *unused)
{
	pid_t tid = syscall(SYS_gettid);

	CHECK(write(ready[1], &tid, sizeof tid) == sizeof tid);
	while (procedure(argument) != -77)
		;
	ended = 1;
	return NULL;
}

static void traced(void)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, compute, NULL) == 0);
	pthread_join(thread, NULL);
	_exit(ended ? 31 : 32);
}

static int stop(pid_t tid)
{
	int status;

	CHECK(waitpid(tid, &status, __WALL) == tid && WIFSTOPPED(status));
	return WSTOPSIG(status);
}

/* Signals that aren't the tracer's business go to whom they are for. */
static void until_breakpoint(pid_t tid, struct user_regs_struct *r)
{
	for (int signal = 0;;) {
		CHECK(ptrace(PTRACE_CONT, tid, 0, signal) == 0);
		signal = stop(tid);
		CHECK(ptrace(PTRACE_GETREGS, tid, 0, r) == 0);
		if (signal == SIGTRAP && r->rip == (uintptr_t)procedure + 1)
			return;
	}
}

int main(void)
{
	struct user_regs_struct r;
	struct iovec v = { &r, sizeof r };
	pid_t tid;
	int status;

	CHECK(pipe(ready) == 0);
	pid_t pid = fork();
	if (!pid)
		traced();
	CHECK(read(ready[0], &tid, sizeof tid) == sizeof tid);
	CHECK(ptrace(PTRACE_SEIZE, tid, 0, 0) == 0 && ptrace(PTRACE_INTERRUPT, tid, 0, 0) == 0);
	CHECK(stop(tid) == SIGTRAP);
	long word = ptrace(PTRACE_PEEKTEXT, tid, procedure, 0);
	CHECK(ptrace(PTRACE_POKETEXT, tid, procedure, (word & ~0xffl) | 0xcc) == 0);
	until_breakpoint(tid, &r);
	CHECK(r.rdi == 3);
	r.rip--;
	r.rdi = -78;
	CHECK(ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &v) == 0);
	CHECK(ptrace(PTRACE_POKEUSER, tid, offsetof(struct user, regs.gs_base), r.gs_base) == 0);
	CHECK(ptrace(PTRACE_POKETEXT, tid, procedure, word) == 0 && ptrace(PTRACE_DETACH, tid, 0, 0) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	printf("ended with %d\n", WEXITSTATUS(status));
	return passed();
}
