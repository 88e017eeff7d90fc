/* Faults inside handlers: of another kind, of the same kind with and without SA_NODEFER, on an alternate stack, left by siglongjmp or by going on; and the end of
 * a process that faults while the signal is blocked.
 * build: -O2
 * build: -O2 -static
 * token: none
 * run: all
 * run: blocked => SIGSEGV
 * run: in-handler => SIGSEGV
 * run: other-in-handler => SIGFPE
 * run: reset => SIGILL
 */
#include "behave.h"
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

static sigjmp_buf back;
static volatile int depth, deepest, wanted, zero;
static void *volatile nowhere;

static __attribute__((noinline)) void fault(void) { *(volatile int *)nowhere = 1; }
static __attribute__((noinline)) int divide(void) { return 1000 / zero; }

static void nest(int signal, siginfo_t *info, void *p)
{
	if (++depth > deepest)
		deepest = depth;
	if (depth < wanted)
		signal == SIGSEGV ? (void)(zero = divide()) : fault();
	siglongjmp(back, depth);
}

static void install(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

	sigaction(signal, &a, NULL);
}

static void alternating(int flags)
{
	install(SIGSEGV, nest, flags);
	install(SIGFPE, nest, flags);
	for (wanted = 1; wanted <= (flags & SA_NODEFER ? 40 : 2); wanted++) {
		int got = sigsetjmp(back, 1);
		if (!got) {
			depth = 0;
			fault();
		}
		CHECK(got == wanted && depth == wanted);
	}
	printf("deepest %d\n", deepest);
}

/* Goes on behind the fault from the inside out, in order. */
static int order[64], count;
extern const char ud_at[], ud_next[];
long ud(long n);
__asm__(".text\n.globl ud\n.type ud, @function\nud:\n.cfi_startproc\nlea 1(%rdi), %rax\nud_at: ud2\nud_next: ret\n.cfi_endproc\n.size ud, . - ud\n");

static void recurse(int signal, siginfo_t *info, void *p)
{
	greg_t *r = ((ucontext_t *)p)->uc_mcontext.gregs;
	int mine = ++depth;

	CHECK((const char *)r[REG_RIP] == ud_at);
	if (depth < wanted)
		CHECK(ud(mine) == mine + 1);
	order[count++] = mine;
	r[REG_RIP] = (greg_t)ud_next;
}

static void returning(void)
{
	install(SIGILL, recurse, SA_NODEFER);
	depth = count = 0;
	wanted = 30;
	CHECK(ud(100) == 101);
	for (int i = 0; i < 30; i++)
		CHECK(order[i] == 30 - i);
	printf("unwound %d\n", count);
}

static void fault_again(int signal, siginfo_t *info, void *p)
{
	puts("in the handler");
	fflush(stdout);
	fault();
}

static void divide_in(int signal, siginfo_t *info, void *p)
{
	puts("in the handler");
	fflush(stdout);
	zero = divide();
}

static void once(int signal, siginfo_t *info, void *p)
{
	puts("once");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static char stack[1 << 20];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
	sigset_t set;

	if (!strcmp(argv[1], "blocked")) {
		install(SIGSEGV, nest, 0);
		sigfillset(&set);
		sigprocmask(SIG_BLOCK, &set, NULL);
		fault();
	} else if (!strcmp(argv[1], "in-handler")) {
		install(SIGSEGV, fault_again, 0);
		fault();
	} else if (!strcmp(argv[1], "other-in-handler")) {
		install(SIGSEGV, divide_in, 0);
		fault();
	} else if (!strcmp(argv[1], "reset")) {
		install(SIGILL, once, SA_RESETHAND);
		ud(1);
	}
	alternating(0);
	alternating(SA_NODEFER);
	sigaltstack(&alternate, NULL);
	alternating(SA_ONSTACK);
	alternating(SA_ONSTACK | SA_NODEFER);
	returning();
	return passed();
}
