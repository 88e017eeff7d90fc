/* Strict mode, where all is forbidden but read, write, exit and sigreturn: code that wasn't run before, signals, handled faults, ends of all kinds. */
#include "behave.h"
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static jmp_buf back;
static volatile sig_atomic_t seen;

static void on_fault(int signal)
{
	seen = signal;
	longjmp(back, 1);
}

static void on_alarm(int signal)
{
	seen = signal;
}

static __attribute__((noinline)) int fresh_code(int x)
{
	switch (x) {
	case 0: return 10; case 1: return 33; case 2: return 7; case 3: return 19; case 4: return 2; case 5: return 91;
	default: return -x;
	}
}

static void works(void)
{
	int sum = 0;
	char line[64];
	for (int i = 0; i < 8; i++)
		sum += fresh_code(i);
	if (!setjmp(back))
		*(volatile int *)NULL = 1;
	sum += seen;
	while (seen != SIGALRM)
		;
	write(1, line, snprintf(line, sizeof line, "sum %d\n", sum));
}

static void forbidden(void)
{
	syscall(SYS_getpid);
}

static void masks(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void faults(void)
{
	signal(SIGSEGV, SIG_DFL);
}

static void crashes(void)
{
	*(volatile int *)16 = 1;
}

static void traps(void)
{
	__asm__ volatile("int3");
}

static void run(const char *what, void (*body)(void), int fault_action)
{
	struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER}, alarm = {.sa_handler = on_alarm};
	struct itimerval soon = {{0, 30000}, {0, 30000}};
	int status;
	pid_t child = fork();
	if (!child) {
		if (fault_action)
			sigaction(SIGSEGV, &action, NULL);
		sigaction(SIGALRM, &alarm, NULL);
		if (fault_action)
			setitimer(ITIMER_REAL, &soon, NULL);
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
			_exit(1);
		body();
		syscall(SYS_exit, 5);
	}
	CHECK(waitpid(child, &status, 0) == child);
	printf("%s: signal %d, status %d\n", what, WTERMSIG(status), WEXITSTATUS(status));
	fflush(stdout);
}

int main(void)
{
	run("works", works, 1);
	run("forbidden", forbidden, 0);
	run("masks", masks, 0);
	run("action", faults, 0);
	run("crashes", crashes, 0);
	run("traps", traps, 0);
	return passed();
}
