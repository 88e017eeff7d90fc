/* The older interfaces: signal (BSD and System V), sigset, siginterrupt, sighold; ignored and defaulted signals. */
#include "behave.h"
#include <signal.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static volatile int handled;
static void handler(int signal) { handled++; }

int main(void)
{
	CHECK(signal(SIGSEGV, handler) == SIG_DFL);
	CHECK(raise(SIGSEGV) == 0 && raise(SIGSEGV) == 0 && handled == 2);
	CHECK(signal(SIGSEGV, SIG_IGN) == handler);
	CHECK(raise(SIGSEGV) == 0 && handled == 2);
	CHECK(signal(SIGSEGV, SIG_DFL) == SIG_IGN);
	CHECK(sysv_signal(SIGTRAP, handler) == SIG_DFL);
	CHECK(raise(SIGTRAP) == 0 && handled == 3);
	CHECK(signal(SIGTRAP, SIG_IGN) == SIG_DFL);
	CHECK(raise(SIGTRAP) == 0 && handled == 3);
	CHECK(sigset(SIGILL, handler) == SIG_DFL);
	CHECK(sighold(SIGILL) == 0 && raise(SIGILL) == 0 && handled == 3);
	CHECK(sigrelse(SIGILL) == 0 && handled == 4);
	CHECK(siginterrupt(SIGILL, 1) == 0);
	CHECK(sigignore(SIGFPE) == 0 && raise(SIGFPE) == 0);
	CHECK(signal(SIGKILL, handler) == SIG_ERR && errno == EINVAL);
	CHECK(signal(1000, handler) == SIG_ERR && errno == EINVAL);
	return passed();
}
