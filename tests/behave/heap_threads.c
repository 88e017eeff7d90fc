/* Threads allocate side by side and free each other's blocks; at its end a thread's allocator cleans up after it. */
#include "behave.h"

#include <pthread.h>

enum { THREADS = 6, ROUNDS = 20000, PLACES = 256 };

static void *_Atomic place[PLACES];

static void *work(void *argument)
{
	unsigned random = (unsigned)(uintptr_t)argument * 2654435761u + 1;
	for (unsigned i = 0; i < ROUNDS; i++) {
		random = random * 1103515245 + 12345;
		size_t size = 16 + (random >> 8) % 700;
		size_t *p = i % 3 ? malloc(size) : calloc(1, size);
		if (i % 5 == 0)
			p = realloc(p, size += 300);
		CHECK(p);
		p[0] = size;
		memset(p + 1, (int)size, size - sizeof *p);
		p = __atomic_exchange_n(&place[(random >> 20) % PLACES], p, __ATOMIC_ACQ_REL);
		if (!p)
			continue;
		CHECK(((unsigned char *)p)[p[0] - 1] == (unsigned char)p[0]);
		free(p);
	}
	return NULL;
}

int main(void)
{
	pthread_t thread[THREADS];
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < THREADS; i++)
			CHECK(!pthread_create(&thread[i], NULL, work, (void *)(uintptr_t)(i + 10 * round)));
		for (int i = 0; i < THREADS; i++)
			pthread_join(thread[i], NULL);
	}
	for (int i = 0; i < PLACES; i++)
		free(place[i]);
	return passed();
}
