/* Hundreds of threads that block everything, run new code, and end; many at a time, one after the other. */
#include "behave.h"
#include <pthread.h>
#include <signal.h>

static pthread_barrier_t all_here;

static __attribute__((noinline)) long fresh_code(long x)
{
	switch (x % 8) {
	case 0: return 10; case 1: return 33; case 2: return 7; case 3: return 19; case 4: return 2; case 5: return 91; case 6: return 5;
	default: return -x;
	}
}

static void *worker(void *together)
{
	sigset_t all, now;
	long sum = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	if (together)
		pthread_barrier_wait(&all_here);
	for (long i = 0; i < 100; i++)
		sum += fresh_code(i);
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	return (void *)(sum * 4 + sigismember(&now, SIGSEGV) * 2 + sigismember(&now, SIGTRAP));
}

int main(void)
{
	enum { MANY = 300 };
	pthread_t thread[MANY];
	pthread_attr_t small;
	void *result, *first;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	pthread_barrier_init(&all_here, NULL, MANY);
	first = worker(NULL);
	CHECK(((long)first & 3) == 3);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < MANY; i++)
			CHECK(pthread_create(&thread[i], &small, worker, &all_here) == 0);
		for (int i = 0; i < MANY; i++)
			CHECK(pthread_join(thread[i], &result) == 0 && result == first);
	}
	for (int i = 0; i < 1000; i++) {
		CHECK(pthread_create(&thread[0], &small, worker, NULL) == 0);
		CHECK(pthread_join(thread[0], &result) == 0 && result == first);
	}
	return passed();
}
