/* makecontext and swapcontext: coroutines on stacks of their own, which call, return and receive signals. */
#include "behave.h"
#include <signal.h>
#include <ucontext.h>

enum { COROUTINES = 10, STEPS = 100 };

static ucontext_t scheduler, coroutine[COROUTINES];
static char stacks[COROUTINES][32768];
static volatile int handled;
static void handler(int signal) { handled++; }

static __attribute__((noinline)) long work(long n) { return n < 2 ? n : work(n - 1) + work(n - 2); }

static void body(int number, int unused)
{
	long sum = 0;

	for (int i = 0; i < STEPS; i++) {
		sum += work(number);
		if (i % 10 == 0)
			raise(SIGTRAP);
		swapcontext(&coroutine[number], &scheduler);
	}
	printf("coroutine %d: %ld\n", number, sum);
}

int main(void)
{
	signal(SIGTRAP, handler);
	for (int i = 0; i < COROUTINES; i++) {
		getcontext(&coroutine[i]);
		coroutine[i].uc_stack.ss_sp = stacks[i];
		coroutine[i].uc_stack.ss_size = sizeof stacks[i];
		coroutine[i].uc_link = &scheduler;
		makecontext(&coroutine[i], (void (*)(void))(uintptr_t)body, 2, i, 0);
	}
	for (int step = 0; step <= STEPS; step++)
		for (int i = 0; i < COROUTINES; i++)
			swapcontext(&scheduler, &coroutine[i]);
	CHECK(handled == COROUTINES * STEPS / 10);
	return passed();
}
