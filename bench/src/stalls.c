/* stalls [THREADS]: a busy server as far as its threads' delays go. Each thread serves small requests without end and notes the longest that one took, without
 * the time that it waited for a processor. A line on standard input asks: the answer is the longest of all threads since the last line, in microseconds, and
 * the number of requests. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 64, CALLS = 16, WORK = 500 /* between calls: a request takes some ten microseconds */ };

static struct worker {
	pthread_t thread;
	_Atomic int64_t longest_ns;
	_Atomic uint64_t requests;
} workers[THREADS_MAX];
static volatile uint64_t sink;

/* Exported, so that its address is known: what a patch is put into. */
__attribute__((noinline, visibility("default"))) uint64_t stalls_serve(uint64_t seed, uint64_t round)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return (seed ^ seed << 17) + round;
}

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* How long this thread has waited for a processor, ns. */
static int64_t waited_ns(int schedstat)
{
	char text[96];
	long long running, waited;
	ssize_t n = pread(schedstat, text, sizeof text - 1, 0);
	text[n > 0 ? n : 0] = 0;
	return sscanf(text, "%lld %lld", &running, &waited) == 2 ? waited : 0;
}

static void *serve(void *argument)
{
	struct worker *w = argument;
	int schedstat = open("/proc/thread-self/schedstat", O_RDONLY);
	for (uint64_t x = (uintptr_t)w;;) {
		int64_t waited = waited_ns(schedstat), start = now_ns();
		for (uint64_t i = 0; i < CALLS; i++) {
			x = stalls_serve(x, i);
			for (unsigned k = 0; k < WORK; k++)
				x = x * 6364136223846793005 + 1442695040888963407;
		}
		sink = x;
		int64_t took = now_ns() - start;
		took -= waited_ns(schedstat) - waited;
		if (took > w->longest_ns)
			w->longest_ns = took;
		w->requests++;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? atoi(argv[1]) : 4;
	char line[16];
	for (int i = 0; i < threads && i < THREADS_MAX; i++)
		pthread_create(&workers[i].thread, NULL, serve, &workers[i]);
	while (fgets(line, sizeof line, stdin)) {
		int64_t longest = 0;
		uint64_t requests = 0;
		for (int i = 0; i < threads && i < THREADS_MAX; i++) {
			int64_t it = atomic_exchange(&workers[i].longest_ns, 0);
			longest = it > longest ? it : longest;
			requests += workers[i].requests;
		}
		printf("%.1f %llu\n", (double)longest / 1000, (unsigned long long)requests);
		fflush(stdout);
	}
	_exit(0);
}
