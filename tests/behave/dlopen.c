/* Libraries loaded, called and unloaded again, many times, also while a thread runs in another one; calls back into the program.
 * build: -O2 -rdynamic
 * part: dlopen_part.c part.so -O2 -shared -fPIC
 * part: dlopen_part.c other.so -O2 -shared -fPIC -DOTHER
 */
#include "behave.h"
#include <dlfcn.h>
#include <pthread.h>

typedef int work(int, int (*)(int));

static volatile int ending;
static int back(int x) { return x * 2 + 1; }

static void *busy(void *f)
{
	long sum = 0;

	while (!ending)
		sum += ((work *)f)(3, back);
	return (void *)(sum != 0);
}

int main(void)
{
	void *other = dlopen("./other.so", RTLD_NOW), *result;
	pthread_t thread;

	CHECK(other);
	pthread_create(&thread, NULL, busy, dlsym(other, "work"));
	for (int i = 0; i < 200; i++) {
		void *part = dlopen("./part.so", i % 2 ? RTLD_NOW : RTLD_LAZY);
		CHECK(part);
		work *f = (work *)dlsym(part, "work");
		CHECK(f && f(i, back) == back(i) + 100);
		CHECK(dlclose(part) == 0);
	}
	ending = 1;
	pthread_join(thread, &result);
	CHECK(result);
	CHECK(!dlopen("./missing.so", RTLD_NOW) && dlerror());
	CHECK(dlclose(other) == 0);
	return passed();
}
