/* Work that a few instructions do most of: in one activation that lasts, in short calls, in several threads at once. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile unsigned sink;

static unsigned loop(unsigned long n)
{
	unsigned a = 1;
	for (unsigned long i = 0; i < n; i++) {
		a = a * 1664525 + 1013904223;
		if (a & 0x10000)
			a ^= a >> 7;
		sink = a;
	}
	return a;
}

static __attribute__((noinline)) unsigned step(unsigned a, unsigned b)
{
	sink = a;
	return b & 1 ? a * 3 + b : a ^ b << 5;
}

static unsigned calls(unsigned long n)
{
	unsigned a = 1;
	for (unsigned long i = 0; i < n; i++)
		a = step(a, i);
	return a;
}

static void *thread(void *n)
{
	return (void *)(uintptr_t)calls((uintptr_t)n);
}

static unsigned threads(unsigned long n)
{
	pthread_t all[3];
	uintptr_t sum = 0;
	for (int i = 0; i < 3; i++)
		pthread_create(&all[i], NULL, thread, (void *)n);
	for (int i = 0; i < 3; i++) {
		void *one;
		pthread_join(all[i], &one);
		sum += (uintptr_t)one;
	}
	return sum;
}

int main(int argc, char **argv)
{
	unsigned long n = strtoul(argv[2], NULL, 10);
	printf("%u\n", !strcmp(argv[1], "loop") ? loop(n) : !strcmp(argv[1], "calls") ? calls(n) : threads(n));
	return 0;
}
