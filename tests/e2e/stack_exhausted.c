/* Recurses until the stack is used up: in the first thread or another; with an alternate signal stack that nothing uses, or a handler on it that jumps out. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static char stack[65536];
static sigjmp_buf back;

static __attribute__((noinline)) int forever(int n)
{
	volatile char filling[500];
	filling[n % 500] = n;
	return forever(n + 1) + filling[(n + 1) % 500];
}

static void *in_thread(void *unused)
{
	return (void *)(long)forever(1);
}

static void overflowed(int signal)
{
	siglongjmp(back, 1);
}

int main(int argc, char **argv)
{
	stack_t set = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction a = { .sa_handler = overflowed, .sa_flags = SA_ONSTACK };
	pthread_t thread;

	if (!strcmp(argv[1], "thread")) {
		pthread_create(&thread, NULL, in_thread, NULL);
		pthread_join(thread, NULL);
	}
	if (!strcmp(argv[1], "own-stack") || !strcmp(argv[1], "handled"))
		sigaltstack(&set, NULL);
	if (!strcmp(argv[1], "handled"))
		sigaction(SIGSEGV, &a, NULL);
	if (sigsetjmp(back, 1))
		return puts("survived") < 0;
	return forever(1);
}
