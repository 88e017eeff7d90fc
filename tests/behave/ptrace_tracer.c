/* A tracer and what it traces are both the program's: it follows system calls, forks and execs of its child, stops it anywhere, reads and changes its registers and
 * memory, steps it, sets a breakpoint, passes signals on or keeps them.
 * build: -O2
 * build: -O2 -static
 * time: 60
 */
#include "behave.h"
#include <elf.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile long counter = 5, handled;
static void handler(int signal) { handled++; }

__attribute__((noinline)) static long procedure(long n)
{
	long sum = n;

	for (long i = 0; i < n % 10; i++)
		sum = sum * 3 + i;
	return sum + counter;
}

static int stop(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

static pid_t start(void (*body)(void))
{
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		body();
		_exit(3);
	}
	CHECK(WSTOPSIG(stop(pid)) == SIGSTOP);
	return pid;
}

static void expect_exit(int status, int code) { CHECK(WIFEXITED(status) && WEXITSTATUS(status) == code); }

static void calls(void)
{
	for (int i = 0; i < 5; i++)
		syscall(SYS_getppid);
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	_exit(handled == 1 ? 11 : 12);
}

/* As strace does; the calls counted are ones that nobody else makes. */
static void follow_calls(void)
{
	pid_t pid = start(calls);
	int status, seen = 0, signals = 0;

	CHECK(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD) == 0);
	for (int pass = 0;;) {
		CHECK(ptrace(PTRACE_SYSCALL, pid, 0, pass) == 0);
		status = stop(pid);
		if (!WIFSTOPPED(status))
			break;
		pass = WSTOPSIG(status) & 0x80 ? 0 : WSTOPSIG(status);
		signals += pass == SIGUSR1;
		if (!pass) {
			struct user_regs_struct r;
			CHECK(ptrace(PTRACE_GETREGS, pid, 0, &r) == 0);
			seen += r.orig_rax == SYS_getppid;
		}
	}
	expect_exit(status, 11);
	printf("calls seen %d, signals %d\n", seen, signals);
}

static void computes(void)
{
	counter = 0;
	for (;;)
		if (procedure(counter % 20) == -77)
			_exit(21);
}

/* Stops it wherever it is, again and again; then changes what it works with. */
static void interrupt(void)
{
	pid_t pid = start(computes);
	struct user_regs_struct r;
	struct iovec v = { &r, sizeof r };

	CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0);
	for (int i = 0; i < 50; i++) {
		kill(pid, SIGSTOP);
		int status = stop(pid);
		while (WIFSTOPPED(status) && WSTOPSIG(status) != SIGSTOP) {
			CHECK(ptrace(PTRACE_CONT, pid, 0, WSTOPSIG(status)) == 0);
			status = stop(pid);
		}
		CHECK(WIFSTOPPED(status));
		CHECK(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v) == 0 && ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v) == 0);
		for (int k = 0; k < 20; k++) {
			siginfo_t info;
			CHECK(ptrace(PTRACE_SINGLESTEP, pid, 0, 0) == 0 && WIFSTOPPED(stop(pid)));
			/* A step onto a trap that isn't ours: its owner gets it. */
			if (ptrace(PTRACE_GETSIGINFO, pid, 0, &info) == 0 && info.si_signo == SIGTRAP && info.si_code == SI_KERNEL)
				CHECK(ptrace(PTRACE_SINGLESTEP, pid, 0, SIGTRAP) == 0 && WIFSTOPPED(stop(pid)));
		}
		if (i == 49)
			CHECK(ptrace(PTRACE_POKEDATA, pid, &counter, -77l) == 0);
		CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0);
	}
	/* -77 % 20 is -17: no turn of the loop; -17 + -77 isn't -77. */
	kill(pid, SIGSTOP);
	CHECK(WIFSTOPPED(stop(pid)) && ptrace(PTRACE_PEEKDATA, pid, &counter, 0) == -77);
	kill(pid, SIGKILL);
	CHECK(WIFSIGNALED(stop(pid)));
	puts("interrupted");
}

static void called(void) { _exit((int)(procedure(4) % 100)); }

/* A breakpoint at a procedure's entry: an int3 that is taken away when hit; its argument is changed. */
static void breakpoint(void)
{
	pid_t pid = start(called);
	struct user_regs_struct r;
	long word = ptrace(PTRACE_PEEKTEXT, pid, procedure, 0);
	int hits = 0, status;

	CHECK(ptrace(PTRACE_POKETEXT, pid, procedure, (word & ~0xffl) | 0xcc) == 0 && ptrace(PTRACE_CONT, pid, 0, 0) == 0);
	while (WIFSTOPPED(status = stop(pid))) {
		CHECK(ptrace(PTRACE_GETREGS, pid, 0, &r) == 0);
		if (WSTOPSIG(status) == SIGTRAP && r.rip == (uintptr_t)procedure + 1) {
			hits++;
			CHECK(r.rdi == 4);
			r.rip--;
			CHECK(ptrace(PTRACE_SETREGS, pid, 0, &r) == 0 && ptrace(PTRACE_POKETEXT, pid, procedure, word) == 0 && ptrace(PTRACE_CONT, pid, 0, 0) == 0);
		} else {
			CHECK(ptrace(PTRACE_CONT, pid, 0, WSTOPSIG(status)) == 0);
		}
	}
	CHECK(WIFEXITED(status));
	printf("breakpoint hit %d, exit %d\n", hits, WEXITSTATUS(status));
}

static void forks(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		execl("/bin/true", "true", NULL);
	_exit(waitpid(pid, &status, 0) == pid && status == 0 ? 41 : 42);
}

static void follow_forks(void)
{
	pid_t pid = start(forks);
	int status, left = 2, made = 0, execs = 0;

	CHECK(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXEC) == 0 && ptrace(PTRACE_CONT, pid, 0, 0) == 0);
	while (left) {
		pid_t who = waitpid(-1, &status, __WALL);
		CHECK(who > 0);
		if (!WIFSTOPPED(status)) {
			left--;
			if (who == pid)
				expect_exit(status, 41);
			continue;
		}
		int event = status >> 16, signal = WSTOPSIG(status);
		made += event == PTRACE_EVENT_FORK;
		execs += event == PTRACE_EVENT_EXEC;
		CHECK(ptrace(PTRACE_CONT, who, 0, event || signal == SIGSTOP ? 0 : signal) == 0);
	}
	printf("forks %d, execs %d\n", made, execs);
}

int main(void)
{
	follow_calls();
	interrupt();
	breakpoint();
	follow_forks();
	return passed();
}
