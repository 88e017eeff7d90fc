/* Threads are cancelled, asynchronously and in blocking calls; their cleanup handlers run (forced unwinding). */
#include "behave.h"
#include <pthread.h>
#include <unistd.h>

static int cleaned;
static void cleanup(void *p) { cleaned += *(int *)p; }

static __attribute__((noinline)) void block(int depth)
{
	int n = depth;

	pthread_cleanup_push(cleanup, &n);
	if (depth)
		block(depth - 1);
	else
		for (;;)
			pause();
	pthread_cleanup_pop(0);
}

static void *blocking(void *unused) { block(10); return NULL; }

static void *spinning(void *ready)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	pthread_barrier_wait(ready);
	for (volatile long i = 0;; i++)
		;
	return NULL;
}

int main(void)
{
	pthread_barrier_t ready;
	pthread_t thread;
	void *result;

	for (int i = 0; i < 20; i++) {
		pthread_create(&thread, NULL, blocking, NULL);
		pthread_cancel(thread);
		CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
	}
	printf("%d\n", cleaned);
	pthread_barrier_init(&ready, NULL, 2);
	pthread_create(&thread, NULL, spinning, &ready);
	pthread_barrier_wait(&ready);
	pthread_cancel(thread);
	CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
	return passed();
}
