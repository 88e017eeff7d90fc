/* A program that steps itself with the trap flag sees each of its own instructions once, and nothing else.
 * build: -O2
 * build: -O1 -fcf-protection=none -no-pie
 */
#include "behave.h"
#include <signal.h>
#include <ucontext.h>

enum { STEPS_MAX = 4096 };

static uintptr_t seen[STEPS_MAX];
static int steps;

static void on_step(int signal, siginfo_t *info, void *context)
{
	const ucontext_t *c = context;
	if (steps < STEPS_MAX)
		seen[steps++] = c->uc_mcontext.gregs[REG_RIP];
	CHECK(info->si_code == TRAP_TRACE);
}

__attribute__((noinline)) static int callee(int x)
{
	return x * 3 + 1;
}

__attribute__((noinline)) static int by_switch(int x)
{
	switch (x) {
	case 0: return 7;
	case 1: return 1;
	case 2: return 9;
	case 3: return x + callee(2);
	case 4: return 3;
	case 5: return 6;
	default: return 0;
	}
}

__attribute__((noinline)) static int work(int rounds)
{
	int (*volatile called)(int) = callee;
	int sum = 0;
	for (int i = 0; i < rounds; i++)
		sum += callee(i) + by_switch(i) + called(i);
	return sum;
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
	sigaction(SIGTRAP, &action, NULL);
	__asm__ volatile("sub $128, %%rsp; pushfq; orl $0x100, (%%rsp); popfq; add $128, %%rsp" ::: "memory", "cc");
	int result = work(6);
	__asm__ volatile("sub $128, %%rsp; pushfq; andl $~0x100, (%%rsp); popfq; add $128, %%rsp" ::: "memory", "cc");
	printf("%d, %d steps\n", result, steps);
	for (int i = 0; i < steps; i++)
		printf("%ld\n", (long)(seen[i] - (uintptr_t)main));
	return passed();
}
