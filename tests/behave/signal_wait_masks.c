/* Fault signals, sent while blocked, come in through the masks of sigsuspend, ppoll, pselect and epoll_pwait, interrupt them once, and are blocked again
 * afterwards; those that the mask blocks stay out. The handler runs new code with everything else blocked. */
#include "behave.h"
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>

static volatile int handled, blocked_inside;

static __attribute__((noinline)) int fresh_code(int x)
{
	switch (x) {
	case 0: return 10; case 1: return 33; case 2: return 7; case 3: return 19; case 4: return 2; case 5: return 91;
	default: return -x;
	}
}

static void handler(int signal)
{
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	blocked_inside = sigismember(&set, SIGTRAP) * 100 + sigismember(&set, SIGILL) * 10 + sigismember(&set, SIGSEGV);
	handled += fresh_code(handled % 7) != 1000;
}

static int wait_with(int how, const sigset_t *mask)
{
	static int epoll;
	struct timespec soon = { 0, 1000000 };
	struct epoll_event event;

	if (!epoll)
		epoll = epoll_create1(0);
	switch (how) {
	case 0: return ppoll(NULL, 0, &soon, mask);
	case 1: return pselect(0, NULL, NULL, NULL, &soon, mask);
	case 2: return epoll_pwait(epoll, &event, 1, 1, mask);
	default: return sigsuspend(mask);
	}
}

int main(void)
{
	sigset_t all, open, set;

	signal(SIGSEGV, handler);
	signal(SIGILL, handler);
	sigfillset(&all);
	open = all;
	sigdelset(&open, SIGSEGV);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int how = 0; how < 4; how++) {
		int before = handled;
		if (how < 3)
			CHECK(wait_with(how, &open) == 0);
		raise(SIGILL);
		if (how < 3)
			CHECK(wait_with(how, &open) == 0 && handled == before);
		raise(SIGSEGV);
		raise(SIGSEGV);
		CHECK(handled == before);
		CHECK(wait_with(how, &open) == -1 && errno == EINTR && handled == before + 1);
		printf("%d: %d\n", how, blocked_inside);
		sigpending(&set);
		CHECK(sigismember(&set, SIGILL) == 1 && sigismember(&set, SIGSEGV) == 0);
		sigprocmask(SIG_BLOCK, NULL, &set);
		CHECK(sigismember(&set, SIGSEGV) == 1 && sigismember(&set, SIGTRAP) == 1);
		sigemptyset(&set);
		sigaddset(&set, SIGILL);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		CHECK(handled == before + 2);
		sigprocmask(SIG_BLOCK, &set, NULL);
	}
	return passed();
}
