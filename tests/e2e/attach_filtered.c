/* attach_filtered KIND: installs a system call filter and answers lines. With "thread" it is one thread's only. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALL(number, allowed, otherwise) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)), \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, allowed, otherwise)
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, what)

static struct sock_filter harmless[] = { CALL(SYS_ptrace, 0, 1), ANSWER(SECCOMP_RET_KILL_PROCESS), ANSWER(SECCOMP_RET_ALLOW) };
static struct sock_filter sockets[] = { CALL(SYS_socketpair, 0, 1), ANSWER(SECCOMP_RET_KILL_PROCESS), ANSWER(SECCOMP_RET_ALLOW) };
static struct sock_filter executable[] = { CALL(SYS_mmap, 0, 3), BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1), ANSWER(SECCOMP_RET_ERRNO | EPERM), ANSWER(SECCOMP_RET_ALLOW) };
static struct sock_filter waiting[] = { CALL(SYS_sched_yield, 0, 1), ANSWER(SECCOMP_RET_TRAP), ANSWER(SECCOMP_RET_ALLOW) };
static struct sock_filter stacks[] = { CALL(SYS_sigaltstack, 0, 1), ANSWER(SECCOMP_RET_KILL_PROCESS), ANSWER(SECCOMP_RET_ALLOW) };

static const struct kind { const char *name; struct sock_filter *filter; unsigned short length; } kinds[] = {
	{ "harmless", harmless, sizeof harmless / sizeof *harmless },
	{ "sockets", sockets, sizeof sockets / sizeof *sockets },
	{ "executable", executable, sizeof executable / sizeof *executable },
	{ "waiting", waiting, sizeof waiting / sizeof *waiting },
	{ "stacks", stacks, sizeof stacks / sizeof *stacks },
	{ "thread", sockets, sizeof sockets / sizeof *sockets },
};

static int install(const struct kind *k)
{
	struct sock_fprog program = { k->length, k->filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void *in_thread(void *p)
{
	if (install(p))
		return NULL;
	puts("filtered");
	fflush(stdout);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	char line[64];
	pthread_t thread;

	for (size_t i = 0; argc == 2 && i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].name, argv[1]))
			continue;
		if (!strcmp(argv[1], "thread"))
			pthread_create(&thread, NULL, in_thread, (void *)&kinds[i]);
		else if (install(&kinds[i]))
			return 1;
		else
			puts("filtered");
		fflush(stdout);
	}
	while (fgets(line, sizeof line, stdin)) {
		fputs(line, stdout);
		fflush(stdout);
	}
	return 0;
}
