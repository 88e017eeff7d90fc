/* sigaction gives back exactly what was set, for every signal, and the default where nothing was. */
#include "behave.h"
#include <signal.h>

static void one(int signal) { }
static void three(int signal, siginfo_t *info, void *context) { }

int main(void)
{
	struct sigaction a, old;

	for (int i = 1; i <= 64; i++) {
		if (sigaction(i, NULL, &old) < 0) {
			printf("%d: %s\n", i, strerror(errno));
			continue;
		}
		if (old.sa_handler != SIG_DFL || old.sa_flags)
			printf("%d: handler %s flags %x at the start\n", i, old.sa_handler == SIG_IGN ? "ignore" : "set", old.sa_flags);
		if (i == SIGKILL || i == SIGSTOP)
			continue;
		memset(&a, 0, sizeof a);
		a.sa_handler = one;
		a.sa_flags = SA_RESTART | SA_NODEFER;
		sigaddset(&a.sa_mask, SIGTRAP);
		sigaddset(&a.sa_mask, i);
		CHECK(sigaction(i, &a, &old) == 0 && old.sa_handler == SIG_DFL);
		a.sa_sigaction = three;
		a.sa_flags = SA_SIGINFO | SA_ONSTACK;
		CHECK(sigaction(i, &a, &old) == 0);
		CHECK(old.sa_handler == one && (old.sa_flags & ~0x04000000) == (SA_RESTART | SA_NODEFER));
		CHECK(sigismember(&old.sa_mask, SIGTRAP) == 1 && sigismember(&old.sa_mask, i) == 1 && (i == SIGCHLD || !sigismember(&old.sa_mask, SIGCHLD)));
		a.sa_handler = SIG_IGN;
		a.sa_flags = 0;
		CHECK(sigaction(i, &a, &old) == 0 && old.sa_sigaction == three && (old.sa_flags & ~0x04000000) == (SA_SIGINFO | SA_ONSTACK));
		CHECK(sigaction(i, NULL, &old) == 0 && old.sa_handler == SIG_IGN);
		raise(i);
	}
	return passed();
}
