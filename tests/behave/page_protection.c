/* Pages flip their protection under SIGSEGV handlers: a write barrier as collectors use it, and guard pages. */
#include "behave.h"
#include <signal.h>
#include <sys/mman.h>

enum { PAGES = 64, SIZE = 4096 };

static char *volatile heap;
static volatile int faults;

static void barrier(int signal, siginfo_t *info, void *context)
{
	char *page = (char *)((uintptr_t)info->si_addr & ~(SIZE - 1ul));

	CHECK(page >= heap && page < heap + PAGES * SIZE);
	faults++;
	mprotect(page, SIZE, PROT_READ | PROT_WRITE);
}

static __attribute__((noinline)) long touch(int round)
{
	long sum = 0;

	for (int i = 0; i < PAGES; i += 1 + round % 3) {
		heap[i * SIZE + round] += i;
		memset(heap + i * SIZE + 100, round, 50);
		sum += heap[i * SIZE + round] + heap[i * SIZE + 120];
	}
	return sum;
}

int main(void)
{
	struct sigaction a = { .sa_sigaction = barrier, .sa_flags = SA_SIGINFO };
	long sum = 0;

	heap = mmap(NULL, PAGES * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGSEGV, &a, NULL);
	for (int round = 0; round < 30; round++) {
		sum += touch(round);
		mprotect(heap, PAGES * SIZE, round % 2 ? PROT_READ : PROT_NONE);
	}
	printf("%ld, %d faults\n", sum, faults);
	return passed();
}
