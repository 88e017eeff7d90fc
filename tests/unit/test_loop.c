/* Endless loops are proven, others never: children are stepped through both kinds. */
#include "monitor/loop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { STEPS = 3000 };

static volatile unsigned zero, one = 1, sink;
static volatile uint64_t counter;

/* --- Endless. */

static void step_of_zero(void)
{
	for (unsigned at = 1, by = zero; at != 10; at += by)
		sink = at;
}

/* A counter that nobody compares changes in each iteration. */
static void counts_for_nobody(void)
{
	while (one)
		counter++;
}

struct node {
	struct node *next;
	char word[16];
};

static void ring(void)
{
	static struct node nodes[3] = {{&nodes[1], "one"}, {&nodes[2], "two"}, {&nodes[0], "three"}};
	const struct node *n = nodes;
	while (n && strcmp(n->word, "four"))
		n = n->next;
	sink = n != NULL;
}

static __attribute__((noinline)) unsigned inner(unsigned rounds)
{
	unsigned sum = 0;
	while (rounds--)
		sum += one;
	return sum;
}

/* The loop inside ends, the one around it does not. */
static void nested(void)
{
	while (inner(20))
		sink++;
}

/* --- Not endless. */

static void counts_down(void)
{
	for (uint64_t n = 1ull << 40; n; n--)
		sink = (unsigned)n;
}

static void counts_in_memory(void)
{
	while (counter++ < 1ull << 40)
		;
}

static void generator(void)
{
	uint64_t x = 88172645463325252ull;
	while (x != 1) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		sink = (unsigned)x;
	}
}

static void walks_memory(void)
{
	static char room[1 << 20];
	const char *at = room;
	while (!*(const volatile char *)at)
		at++;
}

static void asks_the_clock(void)
{
	while (__builtin_ia32_rdtsc() != 1)
		;
}

static void asks_the_kernel(void)
{
	while (getppid() != 1)
		;
}

static void passes_arguments(void)
{
	for (unsigned n = 1; inner(1 + n % 7); n++)
		if (n == 1u << 31)
			return;
}

static pid_t start(void (*body)(void))
{
	int status;
	pid_t pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	return pid;
}

static size_t read_child(void *context, uint64_t address, void *out, size_t size)
{
	struct iovec here = {out, size}, there = {(void *)address, size};
	ssize_t got = process_vm_readv(*(pid_t *)context, &here, 1, &there, 1, 0);
	return got < 0 ? 0 : (size_t)got;
}

static void one_step(pid_t pid, struct loop_trace *t)
{
	struct user_regs_struct r;
	uint8_t bytes[16];
	int status;
	assert_int_equal(ptrace(PTRACE_GETREGS, pid, NULL, &r), 0);
	struct cfi_registers registers = {.general = {r.rax, r.rcx, r.rdx, r.rbx, r.rsp, r.rbp, r.rsi, r.rdi, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13,
						      r.r14, r.r15},
					  .rip = r.rip, .rflags = r.eflags};
	const uint64_t segments[2] = {r.fs_base, r.gs_base};
	loop_record(t, &registers, segments, bytes, read_child(&pid, r.rip, bytes, sizeof bytes), read_child, &pid);
	assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
}

static bool proves(void (*body)(void), struct loop_found *found)
{
	struct loop_trace *t = loop_new();
	pid_t pid = start(body);
	for (int n = 0; n < STEPS; n++)
		one_step(pid, t);
	bool proven = loop_prove(t, found);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	loop_free(t);
	return proven;
}

static void test_endless(void **state)
{
	void (*const bodies[])(void) = {step_of_zero, counts_for_nobody, ring, nested};
	struct loop_found found;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		if (!proves(bodies[i], &found))
			fail_msg("endless loop %zu was not proven", i);
		assert_true(found.length > 0 && found.length < STEPS / 2);
	}
}

static void test_the_outer_loop_is_told(void **state)
{
	struct loop_found found;
	assert_true(proves(nested, &found));
	assert_true(found.lowest >= (uint64_t)nested && found.lowest < (uint64_t)nested + 128);
	assert_true(found.length > 40);
}

static void test_not_endless(void **state)
{
	void (*const bodies[])(void) = {counts_down, counts_in_memory, generator, walks_memory, asks_the_clock, asks_the_kernel, passes_arguments};
	struct loop_found found;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
		if (proves(bodies[i], &found))
			fail_msg("loop %zu is not endless", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_endless), cmocka_unit_test(test_the_outer_loop_is_told), cmocka_unit_test(test_not_endless)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
