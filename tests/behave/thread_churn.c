/* Hundreds of threads begin and end, joined, detached, cancelled, on stacks of all sizes, while libraries are loaded and unloaded and while new code is run for the
 * first time.
 * build: -O2 -rdynamic
 * part: dlopen_part.c part.so -O2 -shared -fPIC
 * time: 60
 * also: flip
 */
#include "behave.h"
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

enum { WAVES = 12, EACH = 40 };

typedef int work(int, int (*)(int));

static atomic_long total, detached_left;
static atomic_int ending;
static sem_t all_gone;

static int back(int x) { return x + 1; }

static __attribute__((noinline)) long compute(long n)
{
	char text[64];
	long sum = 0;

	for (long i = 0; i < 20 + n % 7; i++)
		sum += snprintf(text, sizeof text, "%ld %s", i * n, i % 2 ? "odd" : "even") + (text[0] == '0');
	return sum;
}

static void *plain(void *p)
{
	total += compute((long)p);
	return p;
}

static void *detached(void *p)
{
	total += compute((long)p);
	if (--detached_left == 0)
		sem_post(&all_gone);
	return NULL;
}

static void *waiting(void *p)
{
	for (;;)
		pause();
	return NULL;
}

static void *loading(void *unused)
{
	long rounds = 0;

	while (!ending) {
		void *part = dlopen("./part.so", RTLD_NOW);
		CHECK(part && ((work *)dlsym(part, "work"))(3, back) == 104);
		dlclose(part);
		rounds++;
	}
	return (void *)rounds;
}

static void wave(int number)
{
	pthread_t joined[EACH], cancelled[EACH / 4];
	pthread_attr_t small, apart;
	pthread_t gone;
	void *result;

	pthread_attr_init(&small);
	pthread_attr_init(&apart);
	CHECK(pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN + 4096 * (number % 5)) == 0);
	CHECK(pthread_attr_setdetachstate(&apart, PTHREAD_CREATE_DETACHED) == 0);
	for (long i = 0; i < EACH; i++)
		CHECK(pthread_create(&joined[i], i % 2 ? &small : NULL, plain, (void *)i) == 0);
	detached_left += EACH;
	for (long i = 0; i < EACH; i++)
		CHECK(pthread_create(&gone, &apart, detached, (void *)i) == 0);
	for (int i = 0; i < EACH / 4; i++) {
		CHECK(pthread_create(&cancelled[i], NULL, waiting, NULL) == 0);
		pthread_cancel(cancelled[i]);
	}
	for (long i = 0; i < EACH; i++)
		CHECK(pthread_join(joined[i], &result) == 0 && result == (void *)i);
	for (int i = 0; i < EACH / 4; i++)
		CHECK(pthread_join(cancelled[i], &result) == 0 && result == PTHREAD_CANCELED);
	sem_wait(&all_gone);
}

int main(void)
{
	pthread_t loader;
	void *rounds;

	sem_init(&all_gone, 0, 0);
	pthread_create(&loader, NULL, loading, NULL);
	for (int i = 0; i < WAVES; i++)
		wave(i);
	ending = 1;
	pthread_join(loader, &rounds);
	CHECK(rounds);
	printf("%ld\n", (long)total);
	return passed();
}
