/* A library that ../dlopen_threads.c loads: NUMBER tells which; PADDING moves its procedures. */
#include <pthread.h>

extern int constructed, destructed;
static __thread long own = NUMBER;

#ifdef PADDING
__attribute__((noinline)) long padding(long n) { return n % PADDING ? padding(n - 1) * 7 + n : n; }
#endif

__attribute__((constructor)) static void construct(void) { constructed++; }
__attribute__((destructor)) static void destruct(void) { destructed++; }

long work(long n, long (*back)(long))
{
	switch (n % 4) {
	case 0: own += 5; break;
	case 1: own -= 2; break;
	case 2: own ^= 1; break;
	}
	own = NUMBER;
	return back(n) * 10 + own;
}

static void *in_thread(void *p)
{
	return (void *)(own == NUMBER ? (long)p : -1);
}

int threads(void)
{
	int right = 0;

	for (long i = 0; i < 4; i++) {
		pthread_t t;
		void *result;
		if (!pthread_create(&t, 0, in_thread, (void *)i) && !pthread_join(t, &result))
			right += result == (void *)i;
	}
	return right;
}
