/* siglongjmp out of SIGSEGV, SIGFPE, SIGILL and SIGTRAP handlers, a thousand times each; the mask comes back.
 * build: -O2
 * build: -O2 -static
 */
#include "behave.h"
#include <setjmp.h>
#include <signal.h>

static sigjmp_buf back;
static volatile int zero;
static void handler(int signal) { siglongjmp(back, signal); }

static void fault(int kind)
{
	switch (kind) {
	case 0: *(volatile int *)8 = 1; break;
	case 1: zero = 1 / zero; break;
	case 2: __asm__ volatile("ud2"); break;
	case 3: __asm__ volatile("int3"); break;
	}
}

int main(void)
{
	static volatile int count[65];
	sigset_t now;

	signal(SIGSEGV, handler);
	signal(SIGFPE, handler);
	signal(SIGILL, handler);
	signal(SIGTRAP, handler);
	for (volatile int i = 0; i < 4000; i++) {
		int signal = sigsetjmp(back, 1);
		if (signal)
			count[signal]++;
		else
			fault(i % 4);
	}
	printf("segv %d fpe %d ill %d trap %d\n", count[SIGSEGV], count[SIGFPE], count[SIGILL], count[SIGTRAP]);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigisemptyset(&now));
	return passed();
}
