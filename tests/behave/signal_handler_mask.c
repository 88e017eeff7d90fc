/* A handler changes the mask its return will set (uc_sigmask), and sees the mask that was interrupted. */
#include "behave.h"
#include <signal.h>
#include <ucontext.h>

static void handler(int signal, siginfo_t *info, void *p)
{
	ucontext_t *context = p;

	CHECK(sigismember(&context->uc_sigmask, SIGUSR2) == 1 && sigismember(&context->uc_sigmask, SIGTRAP) == 0);
	sigaddset(&context->uc_sigmask, SIGTRAP);
	sigdelset(&context->uc_sigmask, SIGUSR2);
}

int main(void)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	sigset_t set;

	sigaction(SIGUSR1, &a, NULL);
	sigaction(SIGSEGV, &a, NULL);
	for (int i = 0; i < 2; i++) {
		sigemptyset(&set);
		sigaddset(&set, SIGUSR2);
		sigprocmask(SIG_SETMASK, &set, NULL);
		raise(i ? SIGSEGV : SIGUSR1);
		sigprocmask(SIG_BLOCK, NULL, &set);
		CHECK(sigismember(&set, SIGTRAP) == 1 && sigismember(&set, SIGUSR2) == 0 && sigismember(&set, SIGUSR1) == 0);
	}
	return passed();
}
