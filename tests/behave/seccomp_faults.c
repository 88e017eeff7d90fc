/* A sandbox that kills for all but a few system calls, as sshd's does: the program's handlers of faults and of other signals work in it, in the process and
 * in one that it forks, and a second filter on top changes nothing. */
#include "behave.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ALLOW(n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, n, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static sigjmp_buf back;
static volatile sig_atomic_t seen, timed;

static void on_fault(int signal)
{
	seen = signal;
	longjmp(back, 1);
}

static void on_timer(int signal)
{
	timed = signal;
}

static void fault(volatile int *p)
{
	if (!setjmp(back))
		*p = 1;
	printf("fault %d\n", seen);
}

static void forbid(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(SYS_write), ALLOW(SYS_exit_group), ALLOW(SYS_rt_sigreturn), ALLOW(SYS_newfstatat), ALLOW(SYS_clone), ALLOW(SYS_set_robust_list),
		ALLOW(SYS_wait4), ALLOW(SYS_seccomp), ALLOW(SYS_rt_sigprocmask), ALLOW(SYS_brk), ALLOW(SYS_getrandom),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
	CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
	timer_t timer;
	struct itimerspec soon = {.it_value.tv_nsec = 20000000};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
	int status;
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGSEGV, &action, NULL);
	action.sa_handler = on_timer;
	sigaction(SIGRTMIN, &action, NULL);
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(timer_settime(timer, 0, &soon, NULL) == 0);
	forbid();
	fault(NULL);
	while (timed != SIGRTMIN)
		;
	puts("timer");
	forbid();
	fault(NULL);
	pid_t child = fork();
	if (!child) {
		fault(NULL);
		_exit(7);
	}
	CHECK(waitpid(child, &status, 0) == child);
	printf("child: %d\n", WEXITSTATUS(status));
	child = fork();
	if (!child) {
		syscall(SYS_getppid);
		_exit(8);
	}
	CHECK(waitpid(child, &status, 0) == child);
	printf("killed: %d\n", WTERMSIG(status));
	return passed();
}
