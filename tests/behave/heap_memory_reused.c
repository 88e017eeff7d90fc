/* Memory that was heap and is something else now: the heaps of ended threads go back to the kernel, and come as mappings and stacks, which are written from end to end. And
 * blocks of all sizes, cleared, copied and moved by the allocator and the C library. */
#include "behave.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { THREADS = 8, BLOCKS = 400, MAPPINGS = 24 };
static pthread_barrier_t all_allocate;

static void *allocate(void *p)
{
	char *block[BLOCKS];
	long sum = 0;

	pthread_barrier_wait(&all_allocate); /* so that each has a heap of its own */
	for (int i = 0; i < BLOCKS; i++) {
		block[i] = malloc(i * 97 + 1);
		memset(block[i], i, i * 97 + 1);
	}
	for (int i = 0; i < BLOCKS; i += 2) {
		block[i] = realloc(block[i], i * 150 + 2);
		memset(block[i], i, i * 150 + 2);
	}
	for (int i = 0; i < BLOCKS; i++) {
		sum += block[i][i / 2];
		free(block[i]);
	}
	for (int i = 0; i < BLOCKS; i++) {
		block[i] = calloc(i + 1, 131);
		for (int k = 0; k < (i + 1) * 131; k++)
			sum += block[i][k];
		memset(block[i], 1, (i + 1) * 131);
	}
	for (int i = BLOCKS; i-- > 0;)
		free(block[i]);
	return (void *)sum;
}

int main(void)
{
	pthread_t thread[THREADS];
	void *result;
	long sum = 0;

	for (int round = 0; round < 4; round++) {
		pthread_barrier_init(&all_allocate, NULL, THREADS);
		for (int i = 0; i < THREADS; i++)
			pthread_create(&thread[i], NULL, allocate, NULL);
		for (int i = 0; i < THREADS; i++) {
			pthread_join(thread[i], &result);
			sum += (long)result;
		}
		for (int i = 0; i < MAPPINGS; i++) {
			size_t size = (1 + i % 7) << 22;
			char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
			CHECK(at != MAP_FAILED);
			for (size_t k = 0; k < size; k += 1024)
				at[k] = 1;
			munmap(at, size);
		}
	}
	for (size_t size = 100; size < 40000000; size *= 3) {
		char *p = malloc(size), *q = calloc(1, size / 2);
		memset(p, 5, size);
		p = realloc(p, size * 2);
		memset(p, 6, size * 2);
		p = realloc(p, size / 3);
		sum += p[size / 3 - 1] + q[size / 2 - 1];
		free(q);
		free(p);
	}
	printf("%ld\n", sum);
	return passed();
}
