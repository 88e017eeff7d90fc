/* What the stack and locate tests take apart: each case fails in a known procedure, reached through known ones. Built with and without
 * unwind tables. Where a case can go on because its failed procedure was made to return, it exits with 42 if the callers found their registers
 * intact. */
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone, noipa))

static int data_word = 7;
static volatile long sink;

/* --- Null write below three callers that keep values in callee-saved registers. */
NOINLINE long inner(long *p, long x)
{
	char local[40];
	snprintf(local, sizeof local, "%ld", x);
	sink = local[0];
	*p = x;
	return x + local[0] - local[0];
}

#define KEEP(name, callee) \
	NOINLINE long name(long *p, long x) \
	{ \
		long a = x * 3, b = x ^ 0x55, c = x + 11, d = x - 5, e = x << 2; \
		long r = callee(p, x + 1); \
		sink += r; \
		if (a != x * 3 || b != (x ^ 0x55) || c != x + 11 || d != x - 5 || e != x << 2) \
			_exit(1); \
		return a + b + c + d + e + r; \
	}
KEEP(middle, inner)
KEEP(outer, middle)

static void null_write(void)
{
	sink = outer((long *)(uintptr_t)(sink & 0), 100);
	_exit(42);
}

NOINLINE int before_box(const int *box)
{
	return box[-1];
}

static void before_null(void)
{
	sink = before_box((const int *)(uintptr_t)(sink & 0));
	sink++;
}

/* --- Transfers to what isn't code. */
NOINLINE int calls(int (*f)(int))
{
	return f(1) + 1;
}

NOINLINE int jumps(int (*f)(int))
{
	return f(2);
}

NOINLINE int calls_jumper(void *f)
{
	return jumps((int (*)(int))f) + 3;
}

static void call_data(void)
{
	sink = calls((int (*)(int))(void *)&data_word);
	_exit(sink == 1 ? 42 : 1);
}

static void jump_data(void)
{
	sink = calls_jumper(&data_word);
	_exit(42);
}

static void call_noncanonical(void)
{
	sink = calls((int (*)(int))0x4141414141414141);
}

NOINLINE void fill(uint64_t *at, int words, uint64_t value)
{
	for (int i = 0; i < words; i++)
		((volatile uint64_t *)at)[i] = value;
}

NOINLINE int overflow(int words, uint64_t value)
{
	uint64_t buffer[4];
	fill(buffer, words, value);
	return buffer[1] == value;
}

NOINLINE int above_overflow(int words, uint64_t value)
{
	volatile char room[64];
	room[0] = overflow(words, value);
	return room[0] + 1;
}

static void smash_noncanonical(void)
{
	sink = above_overflow(10, 0x4141414141414141);
}

static void smash_data(void)
{
	sink = above_overflow(10, (uint64_t)&data_word);
}

/* --- Aborts. */
NOINLINE void asserts(int x)
{
	assert(x == 12);
	sink = x;
}

static void assertion(void)
{
	asserts(getpid());
	sink++;
}

NOINLINE void aborts(void)
{
	abort();
}

static void plain_abort(void)
{
	aborts();
	sink++;
}

NOINLINE void frees(char *p)
{
	free(p);
	sink++;
}

static void double_free(void)
{
	char *p = malloc(24);
	frees(p);
	frees(p);
	sink++;
}

NOINLINE __attribute__((stack_protect)) int protected(int words)
{
	uint64_t buffer[4];
	fill(buffer, words, 0x42);
	return buffer[0];
}

static void smash_protected(void)
{
	sink = protected(6);
	sink++;
}

/* --- Arithmetic, traps, library routines. */
NOINLINE int divides(int a, int b)
{
	return a / b;
}

static void division(void)
{
	sink = divides(getpid(), (int)sink);
	sink++;
}

static void division_overflow(void)
{
	sink = divides(INT32_MIN, (int)sink - 1);
	sink++;
}

NOINLINE void traps(void)
{
	__builtin_trap();
}

static void trap(void)
{
	traps();
	sink++;
}

NOINLINE void copies(char *to, const char *from, size_t size)
{
	memcpy(to, from, size);
	sink++;
}

static void library_copy(void)
{
	copies((char *)sink + 64, (char *)&data_word, 4 + sink);
	sink++;
}

/* --- Signal frames, threads, realigned stacks, recursion. */
NOINLINE void handler(int signal)
{
	sink = *(volatile long *)(sink + 8);
}

NOINLINE void interrupted_loop(void)
{
	for (;;)
		sink = sink * 2;
}

static void in_handler(void)
{
	struct sigaction action = {.sa_handler = handler};
	sigaction(SIGALRM, &action, NULL);
	sink = 0;
	ualarm(1000, 0);
	interrupted_loop();
}

static void *thread_start(void *p)
{
	sink = outer(p, 5);
	return NULL;
}

static void in_thread(void)
{
	pthread_t t;
	pthread_create(&t, NULL, thread_start, NULL);
	pthread_join(t, NULL);
	_exit(42);
}

NOINLINE __attribute__((force_align_arg_pointer)) long realigned(long *p, long x)
{
	volatile char vector[64] __attribute__((aligned(64)));
	vector[0] = x;
	return outer(p, x) + vector[0];
}

static void in_realigned(void)
{
	sink = realigned((long *)(uintptr_t)(sink & 0), 3);
	_exit(42);
}

#pragma GCC diagnostic ignored "-Winfinite-recursion"
NOINLINE long recurses(long x)
{
	volatile char room[200];
	room[0] = x;
	return recurses(x + room[0]) + room[0];
}

static void recursion(void)
{
	sink = recurses(sink);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{"null_write", null_write}, {"before_null", before_null}, {"call_data", call_data}, {"jump_data", jump_data}, {"call_noncanonical", call_noncanonical},
	{"smash_noncanonical", smash_noncanonical}, {"smash_data", smash_data}, {"assertion", assertion}, {"plain_abort", plain_abort},
	{"double_free", double_free}, {"smash_protected", smash_protected}, {"division", division}, {"division_overflow", division_overflow},
	{"trap", trap}, {"library_copy", library_copy}, {"in_handler", in_handler}, {"in_thread", in_thread}, {"in_realigned", in_realigned},
	{"recursion", recursion},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++)
		if (!strcmp(argv[1], cases[i].name))
			cases[i].run();
	return 2;
}
