/* Hundreds of threads begin and end; each has its own stack, errno and thread-local storage.
 * build: -O2
 * build: -O2 -static
 */
#include "behave.h"
#include <pthread.h>

enum { THREADS = 50, ROUNDS = 10 };

static __thread long own = 7;

static void *work(void *p)
{
	long n = (long)p, sum = own;

	CHECK(own == 7);
	errno = (int)n;
	for (long i = 0; i < 1000 + n; i++)
		sum += i ^ n;
	own = sum;
	CHECK(errno == (int)n && own == sum);
	return (void *)own;
}

int main(void)
{
	unsigned long total = 0;

	for (int round = 0; round < ROUNDS; round++) {
		pthread_t thread[THREADS];
		for (long i = 0; i < THREADS; i++)
			CHECK(pthread_create(&thread[i], NULL, work, (void *)(round * THREADS + i)) == 0);
		for (int i = 0; i < THREADS; i++) {
			void *result;
			CHECK(pthread_join(thread[i], &result) == 0);
			total += (unsigned long)result;
		}
	}
	printf("%lu\n", total);
	CHECK(own == 7);
	return passed();
}
