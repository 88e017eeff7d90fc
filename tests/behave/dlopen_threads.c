/* Libraries come and go while threads call into them: constructors and destructors, thread-local data, threads that the library starts, addresses that are used
 * again by another library.
 * build: -O2 -rdynamic
 * part: dlopen_threads_part.c one.so -O2 -shared -fPIC -DNUMBER=1
 * part: dlopen_threads_part.c two.so -O2 -shared -fPIC -DNUMBER=2
 * part: dlopen_threads_part.c three.so -O2 -shared -fPIC -DNUMBER=3 -DPADDING=9
 * time: 60
 */
#include "behave.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>

enum { LIBRARIES = 3, CALLERS = 3, ROUNDS = 40 };

typedef long work(long, long (*)(long));

static const char *const names[LIBRARIES] = { "./one.so", "./two.so", "./three.so" };
static pthread_rwlock_t lock[LIBRARIES] = { PTHREAD_RWLOCK_INITIALIZER, PTHREAD_RWLOCK_INITIALIZER, PTHREAD_RWLOCK_INITIALIZER };
static work *volatile entry[LIBRARIES];
static atomic_int ending;
static atomic_long calls;

int constructed, destructed; /* counted by the libraries */

static long back(long x) { return x * 3 + 1; }

static void *call(void *p)
{
	long n = (long)p;

	while (!ending) {
		int i = n++ % LIBRARIES;
		pthread_rwlock_rdlock(&lock[i]);
		if (entry[i]) {
			CHECK(entry[i](n, back) == back(n) * 10 + i + 1);
			calls++;
		}
		pthread_rwlock_unlock(&lock[i]);
	}
	return NULL;
}

int main(void)
{
	pthread_t thread[CALLERS];
	void *handle[LIBRARIES] = { 0 };

	for (long i = 0; i < CALLERS; i++)
		pthread_create(&thread[i], NULL, call, (void *)i);
	for (int n = 0; n < ROUNDS * LIBRARIES; n++) {
		int i = n * 2 % LIBRARIES;
		long before = calls;
		pthread_rwlock_wrlock(&lock[i]);
		if (handle[i]) {
			entry[i] = NULL;
			CHECK(dlclose(handle[i]) == 0);
		}
		handle[i] = dlopen(names[i], n % 3 ? RTLD_NOW : RTLD_LAZY);
		CHECK(handle[i] && (entry[i] = (work *)dlsym(handle[i], "work")));
		CHECK(((int (*)(void))dlsym(handle[i], "threads"))() == 4);
		pthread_rwlock_unlock(&lock[i]);
		while (calls < before + 5)
			sched_yield();
	}
	ending = 1;
	for (int i = 0; i < CALLERS; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < LIBRARIES; i++)
		CHECK(dlclose(handle[i]) == 0);
	printf("%d constructed, %d destructed\n", constructed, destructed);
	return passed();
}
