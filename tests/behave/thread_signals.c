/* Signals to threads: each has its own mask, a directed signal reaches its thread, sigwait takes a blocked one. */
#include "behave.h"
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static __thread int received;
static void handler(int signal) { received++; }

static void *direct(void *unused)
{
	for (int i = 0; i < 100; i++)
		pthread_kill(pthread_self(), SIGUSR1);
	return (void *)(long)received;
}

static void *waiter(void *set)
{
	long sum = 0;
	int signal;

	for (int i = 0; i < 100; i++) {
		CHECK(sigwait(set, &signal) == 0);
		sum += signal;
	}
	return (void *)sum;
}

int main(void)
{
	pthread_t thread[8];
	sigset_t set, old;
	void *result;
	long sum = 0;

	signal(SIGUSR1, handler);
	for (int i = 0; i < 8; i++)
		pthread_create(&thread[i], NULL, direct, NULL);
	for (int i = 0; i < 8; i++) {
		pthread_join(thread[i], &result);
		sum += (long)result;
	}
	printf("direct %ld, main %d\n", sum, received);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	pthread_create(&thread[0], NULL, waiter, &set);
	for (int i = 0; i < 100; i++)
		CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){ 0 }) == 0);
	pthread_join(thread[0], &result);
	CHECK((long)result == 100L * SIGRTMIN);
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	CHECK(sigismember(&set, SIGRTMIN) == 1 && sigismember(&set, SIGUSR1) == 0 && sigismember(&set, SIGTRAP) == 0);
	return passed();
}
