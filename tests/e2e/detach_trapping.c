/* Threads that land on springboards of procedures with woven system calls, without end. "go" is said when they do. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

enum { THREADS = 3 };

static void *trap(void *unused)
{
	sigset_t now;
	for (;;)
		pthread_sigmask(SIG_BLOCK, NULL, &now);
	return unused;
}

int main(void)
{
	pthread_t one;
	for (int i = 1; i < THREADS; i++)
		pthread_create(&one, NULL, trap, NULL);
	puts("go");
	fflush(stdout);
	trap(NULL);
}
