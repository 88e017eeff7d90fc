/* Returns that aren't: behind a push, a store to the top of the stack, a switch to a new or a used stack; return addresses that are taken off the stack and put back;
 * `ret` with a count. And stacks that are used again at another depth. */
#include "behave.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

long by_push(long (*f)(long), long), by_store(long (*f)(long), long), popped(long), counted(long);
void switch_stack(void **save, void *to);
#define P(name) ".globl " #name "\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n"
#define E(name) ".cfi_endproc\n.size " #name ", . - " #name "\n"
__asm__(".text\n"
	P(by_push) "mov %rdi, %rax\nmov %rsi, %rdi\npush %rax\nret\n" E(by_push)
	P(by_store) "mov %rdi, %rax\nmov %rsi, %rdi\ncall 1f\n2: pause\njmp 2b\n1: mov %rax, (%rsp)\nret\n" E(by_store)
	P(popped) "pop %rdx\nlea 1(%rdi), %rax\ntest %rdi, %rdi\npush %rdx\njz 1f\ninc %rax\n1: ret\n" E(popped)
	P(inner) "lea (%rdi,%rdi,2), %rax\nmov %rax, -8(%rsp)\nmov -8(%rsp), %rax\nret $16\n" E(inner)
	P(counted) "push %rdi\npush %rdi\ncall inner\nret\n" E(counted)
	P(switch_stack) "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\nmov %rsp, (%rdi)\nmov %rsi, %rsp\n"
			"pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n" E(switch_stack));

enum { ROUTINES = 8, STACK = 16384, ROUNDS = 300 };
static char stacks[ROUTINES][STACK] __attribute__((aligned(16)));
static void *main_stack, *routine_stack[ROUTINES];
static int current, steps[ROUTINES];

static __attribute__((noinline)) long deep(int depth)
{
	volatile char frame[64];

	memset((char *)frame, depth, sizeof frame);
	if (!depth) {
		switch_stack(&routine_stack[current], main_stack);
		return frame[1];
	}
	return deep(depth - 1) + frame[depth % 64];
}

static void routine(void)
{
	for (;;) {
		steps[current] += deep(current + steps[current] % 5) >= 0;
		if (steps[current] % 7 == 0)
			switch_stack(&routine_stack[current], main_stack);
	}
}

/* A stack whose switch goes to the routine's start: at a depth of its own each time. */
static void start(int n, int depth)
{
	void **top = (void **)(stacks[n] + STACK - 64 * (1 + depth));

	top[-1] = (void *)abort;
	top[-2] = (void *)routine;
	routine_stack[n] = top - 8;
}

static long twice(long n)
{
	return n * 2;
}

int main(void)
{
	long sum = 0, total = 0;

	for (int i = 0; i < 1000; i++)
		sum += by_push(twice, i) + by_store(twice, i) + popped(i) + counted(i);
	for (int round = 0; round < ROUNDS; round++) {
		for (int n = 0; n < ROUTINES; n++) {
			if (round % 50 == 0)
				start(n, (round / 50 + n) % 6);
			current = n;
			switch_stack(&main_stack, routine_stack[n]);
		}
	}
	for (int n = 0; n < ROUTINES; n++)
		total += steps[n];
	printf("%ld %ld\n", sum, total);
	return passed();
}
