/* Producers and consumers with a mutex and condition variables: nothing is lost, nobody hangs. */
#include "behave.h"
#include <pthread.h>

enum { ITEMS = 20000, ROOM = 8 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER;
static int queue[ROOM], head, count;

static void *produce(void *first)
{
	for (int i = 0; i < ITEMS; i++) {
		pthread_mutex_lock(&lock);
		while (count == ROOM)
			pthread_cond_wait(&not_full, &lock);
		queue[(head + count++) % ROOM] = (int)(long)first + i;
		pthread_cond_signal(&not_empty);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void *consume(void *unused)
{
	long sum = 0;

	for (int i = 0; i < ITEMS; i++) {
		pthread_mutex_lock(&lock);
		while (!count)
			pthread_cond_wait(&not_empty, &lock);
		sum += queue[head];
		head = (head + 1) % ROOM;
		count--;
		pthread_cond_signal(&not_full);
		pthread_mutex_unlock(&lock);
	}
	return (void *)sum;
}

int main(void)
{
	pthread_t thread[4];
	void *sum[4];

	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&thread[i], NULL, i < 2 ? produce : consume, (void *)(long)(i * 1000000)) == 0);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], &sum[i]);
	printf("%ld\n", (long)sum[2] + (long)sum[3]);
	return passed();
}
