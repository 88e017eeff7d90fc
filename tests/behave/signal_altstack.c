/* Handlers on the alternate stack: SA_ONSTACK is obeyed, sigaltstack reports what was set, a stack overflow is survived, many times.
 * build: -O2 -Wno-infinite-recursion -fno-optimize-sibling-calls
 */
#include "behave.h"
#include <setjmp.h>
#include <signal.h>

static char stack[65536];
static sigjmp_buf back;
static volatile int on_it, off_it;

static int within(void *p) { return (char *)p >= stack && (char *)p < stack + sizeof stack; }

static void look(int signal)
{
	char here;
	stack_t now;

	sigaltstack(NULL, &now);
	if (within(&here))
		on_it += !!(now.ss_flags & SS_ONSTACK);
	else
		off_it += now.ss_flags == 0;
}

static void overflowed(int signal)
{
	char here;
	CHECK(within(&here));
	siglongjmp(back, 1);
}

static __attribute__((noinline)) int forever(int n)
{
	volatile char filling[1000];
	filling[n % 1000] = n;
	return forever(n + 1) + filling[(n + 1) % 1000];
}

int main(void)
{
	stack_t set = { .ss_sp = stack, .ss_size = sizeof stack }, old;
	struct sigaction a = { .sa_handler = look, .sa_flags = SA_ONSTACK }, b = { .sa_handler = look };

	CHECK(sigaltstack(NULL, &old) == 0 && old.ss_flags == SS_DISABLE);
	CHECK(sigaltstack(&set, NULL) == 0);
	CHECK(sigaltstack(NULL, &old) == 0 && old.ss_sp == stack && old.ss_size == sizeof stack && old.ss_flags == 0);
	sigaction(SIGUSR1, &a, NULL);
	sigaction(SIGUSR2, &b, NULL);
	sigaction(SIGTRAP, &a, NULL);
	for (int i = 0; i < 10; i++) {
		raise(SIGUSR1);
		raise(SIGUSR2);
		raise(SIGTRAP);
	}
	CHECK(on_it == 20 && off_it == 10);
	a.sa_handler = overflowed;
	sigaction(SIGSEGV, &a, NULL);
	for (volatile int i = 0; i < 5; i++)
		if (!sigsetjmp(back, 1))
			forever(0);
	return passed();
}
