/* Coroutines on stacks of a few hundred bytes to 4 KiB, switched by hand and by swapcontext: nothing is written below what their own code writes and the red zone
 * leaves; a timer goes off meanwhile, on an alternate stack.
 * build: -O2 -mno-avx
 * build: -O2 -mno-avx -static
 * also: detach
 */
#include "behave.h"
#include <signal.h>
#include <sys/time.h>
#include <ucontext.h>

enum { COROUTINES = 8, SWITCHES = 2000, TINY = 512, GUARD = 64 };

/* void change(void **from, void *to): callee-saved registers on the old stack, off the new one. */
void change(void **from, void *to);
long step(long n);
void start(void);
__asm__(".text\n.globl change\n.type change, @function\nchange:\npush %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
	"mov %rsp, (%rdi)\nmov %rsi, %rsp\npop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n.size change, . - change\n"
	".globl start\n.type start, @function\nstart:\nmov %r12, %rdi\ncall *%r13\nud2\n.size start, . - start\n"
	".globl step\n.type step, @function\nstep: lea 1(%rdi,%rdi,2), %rax\nret\n.size step, . - step\n");

static struct coroutine {
	unsigned char below[GUARD], stack[TINY] __attribute__((aligned(16)));
	void *sp;
	long value;
} coroutine[COROUTINES];
static void *scheduler;
static volatile long ticks;
static void tick(int signal) { ticks++; }

static void body(struct coroutine *c)
{
	for (;;) {
		c->value = step(c->value) & 0xffffff;
		change(&c->sp, scheduler);
	}
}

static void prepare(struct coroutine *c, long number)
{
	void **sp = (void **)(c->stack + TINY) - 8; /* so that rsp is 8 modulo 16 at the body's entry */
	memset(c->below, 0xa5, sizeof c->below);
	memset(c->stack, 0x5a, sizeof c->stack);
	sp[0] = sp[1] = sp[4] = sp[5] = NULL;
	sp[2] = (void *)body; /* r13 */
	sp[3] = c;            /* r12 */
	sp[6] = (void *)start;
	c->sp = sp;
	c->value = number;
}

static void by_hand(void)
{
	for (int i = 0; i < COROUTINES; i++)
		prepare(&coroutine[i], i);
	for (int n = 0; n < SWITCHES; n++)
		for (int i = 0; i < COROUTINES; i++)
			change(&scheduler, coroutine[i].sp);
	for (int i = 0; i < COROUTINES; i++) {
		for (int k = 0; k < GUARD; k++)
			CHECK(coroutine[i].below[k] == 0xa5);
		printf("%lx ", coroutine[i].value);
	}
	puts("");
}

static ucontext_t back, small[COROUTINES];
static long sums[COROUTINES];

static void small_body(int i)
{
	for (int n = 0; n < 300; n++) {
		sums[i] = step(sums[i]) % 1000003;
		swapcontext(&small[i], &back);
	}
}

static void by_context(void)
{
	static char stacks[COROUTINES][4096] __attribute__((aligned(16)));

	for (int i = 0; i < COROUTINES; i++) {
		getcontext(&small[i]);
		small[i].uc_stack.ss_sp = stacks[i];
		small[i].uc_stack.ss_size = sizeof stacks[i];
		small[i].uc_link = &back;
		sums[i] = i;
		makecontext(&small[i], (void (*)(void))(uintptr_t)small_body, 1, i);
	}
	for (int n = 0; n < 300; n++)
		for (int i = 0; i < COROUTINES; i++)
			swapcontext(&back, &small[i]);
	for (int i = 0; i < COROUTINES; i++)
		printf("%ld ", sums[i]);
	puts("");
}

int main(void)
{
	static char alternate[65536];
	stack_t s = { .ss_sp = alternate, .ss_size = sizeof alternate };
	struct sigaction a = { .sa_handler = tick, .sa_flags = SA_ONSTACK | SA_RESTART };
	struct itimerval timer = { { 0, 500 }, { 0, 500 } }, off = { { 0, 0 }, { 0, 0 } };

	sigaltstack(&s, NULL);
	sigaction(SIGALRM, &a, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (int i = 0; i < 5; i++) {
		by_hand();
		by_context();
	}
	while (!ticks)
		step(ticks);
	setitimer(ITIMER_REAL, &off, NULL);
	return passed();
}
