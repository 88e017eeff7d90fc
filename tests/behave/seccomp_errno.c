/* A filter that refuses system calls with an error, of signal handling too: the program sees its filter's verdicts and nobody else's, by number and by argument;
 * of two filters the stricter one. */
#include "behave.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define REFUSE(n, error) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, n, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error)

static void nothing(int signal)
{
	(void)signal;
}

static void say(const char *what, long status)
{
	if (status == -1)
		printf("%s: error %d\n", what, errno);
	else
		printf("%s: done\n", what);
}

static void try_all(void)
{
	struct sigaction action = {.sa_handler = nothing}, old;
	sigset_t set;
	stack_t stack;
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigaddset(&set, SIGUSR1);
	say("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));
	say("segv", sigaction(SIGSEGV, &action, &old));
	say("usr1", sigaction(SIGUSR1, &action, &old));
	say("trap", sigaction(SIGTRAP, NULL, &old));
	say("stack", sigaltstack(NULL, &stack));
	say("pending", sigpending(&set));
	say("gettid", syscall(SYS_gettid));
	say("kill", kill(getpid(), 0));
	say("munmap", munmap((void *)0x10000, 0));
}

static void filter(struct sock_filter *instructions, int count)
{
	struct sock_fprog program = { count, instructions };
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

int main(void)
{
	struct sock_filter first[] = {
		LOAD(nr), REFUSE(SYS_gettid, 90), REFUSE(SYS_rt_sigprocmask, 91),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigaction, 0, 3),
		LOAD(args[0]), REFUSE(SIGSEGV, 92),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	}, second[] = {
		/* The accumulator begins as 0. */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		LOAD(nr), REFUSE(SYS_rt_sigaction, 93), REFUSE(SYS_kill, 94), REFUSE(SYS_munmap, 95), REFUSE(SYS_sigaltstack, 96),
		REFUSE(SYS_rt_sigpending, 97), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog none = {0}, nowhere = {3, (void *)8};
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	try_all();
	filter(first, sizeof first / sizeof *first);
	try_all();
	filter(second, sizeof second / sizeof *second);
	try_all();
	say("empty", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &none));
	say("nowhere", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &nowhere));
	say("null", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL));
	say("flags", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 1 << 30, &none));
	say("strict", prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	try_all();
	printf("mode %d\n", prctl(PR_GET_SECCOMP));
	return passed();
}
