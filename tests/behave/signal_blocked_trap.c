/* SIGTRAP blocked, raised, pending, and delivered when unblocked; meanwhile code runs for the first time. */
#include "behave.h"
#include <signal.h>
#include <time.h>

static volatile int handled;
static void handler(int signal) { handled++; }

static __attribute__((noinline)) int fresh_code(int x)
{
	switch (x) {
	case 0: return 10; case 1: return 33; case 2: return 7; case 3: return 19; case 4: return 2; case 5: return 91;
	default: return -x;
	}
}

int main(void)
{
	struct timespec none = { 0, 0 };
	sigset_t trap, old, pending;
	siginfo_t info;

	signal(SIGTRAP, handler);
	sigemptyset(&trap);
	sigaddset(&trap, SIGTRAP);
	CHECK(sigprocmask(SIG_BLOCK, &trap, &old) == 0 && sigismember(&old, SIGTRAP) == 0);
	raise(SIGTRAP);
	CHECK(handled == 0);
	for (int i = 0; i < 8; i++)
		printf("%d ", fresh_code(i));
	puts("");
	CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGTRAP) == 1);
	CHECK(sigprocmask(SIG_BLOCK, NULL, &old) == 0 && sigismember(&old, SIGTRAP) == 1);
	CHECK(sigprocmask(SIG_UNBLOCK, &trap, NULL) == 0 && handled == 1);
	CHECK(sigprocmask(SIG_BLOCK, &trap, NULL) == 0);
	raise(SIGTRAP);
	CHECK(sigtimedwait(&trap, &info, &none) == SIGTRAP && handled == 1);
	CHECK(sigtimedwait(&trap, &info, &none) == -1 && errno == EAGAIN);
	return passed();
}
