/* A filter is inherited by the program that replaces this one: it works, with the filter's verdicts.
 * run: first
 */
#include "behave.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KILL(n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, n, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

static volatile sig_atomic_t seen;

static void on_signal(int signal)
{
	seen = signal;
}

int main(int argc, char **argv)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		KILL(SYS_sched_yield), KILL(SYS_getppid), KILL(SYS_madvise), KILL(SYS_open),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 77),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
	if (argc > 1) {
		CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
		CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
		execl("/proc/self/exe", argv[0], NULL);
		CHECK(!"exec");
	}
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	printf("signal %d, getpgid %d, error %d\n", seen, (int)syscall(SYS_getpgid, 0), errno);
	return passed();
}
