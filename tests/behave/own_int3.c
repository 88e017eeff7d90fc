/* A program whose text has breakpoints of its own, as debuggers' targets and assertion macros do: it handles them, also in a child and a thread. */
#include "behave.h"
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int trapped, codes;

static void handler(int signal, siginfo_t *info, void *context)
{
	__atomic_add_fetch(&trapped, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&codes, info->si_code == SI_KERNEL, __ATOMIC_RELAXED);
}

static __attribute__((noinline)) long work(long n)
{
	long sum = 0;

	for (long i = 0; i < n; i++) {
		sum += i * 3;
		__asm__ volatile("int3" : "+r"(sum));
		sum ^= i;
	}
	return sum;
}

static void *in_thread(void *unused) { return (void *)work(100); }

int main(void)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	pthread_t thread;
	void *result;
	int status;

	sigaction(SIGTRAP, &a, NULL);
	printf("%ld\n", work(100));
	pthread_create(&thread, NULL, in_thread, NULL);
	pthread_join(thread, &result);
	printf("%ld, %d traps, %d by the kernel\n", (long)result, trapped, codes);
	if (!fork())
		_exit(work(10) & 127);
	wait(&status);
	printf("child %d\n", WEXITSTATUS(status));
	return passed();
}
