/* Masks are what the program set, also "everything blocked", while new code runs; pending, suspend and sa_mask work. */
#include "behave.h"
#include <signal.h>
#include <unistd.h>

static volatile int handled[65];
static sigset_t inside;
static void handler(int signal) { handled[signal]++; sigprocmask(SIG_BLOCK, NULL, &inside); }

static void show(const char *what, const sigset_t *set)
{
	printf("%s:", what);
	for (int i = 1; i <= 64; i++)
		if (sigismember(set, i) == 1)
			printf(" %d", i);
	puts("");
}

static __attribute__((noinline)) int fresh_code(int x)
{
	switch (x) {
	case 0: return 10; case 1: return 33; case 2: return 7; case 3: return 19; case 4: return 2; case 5: return 91;
	default: return -x;
	}
}

int main(void)
{
	struct sigaction a = { .sa_handler = handler };
	sigset_t all, old, now;

	sigfillset(&all);
	sigaddset(&a.sa_mask, SIGTRAP);
	sigaddset(&a.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &a, NULL);
	sigaction(SIGSEGV, &a, NULL);
	CHECK(sigprocmask(SIG_SETMASK, &all, &old) == 0);
	show("at start", &old);
	sigprocmask(SIG_BLOCK, NULL, &now);
	show("all blocked", &now);
	for (int i = 0; i < 8; i++)
		printf("%d ", fresh_code(i));
	puts("ran while blocked");
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGSEGV);
	kill(getpid(), SIGUSR1);
	sigpending(&now);
	sigdelset(&now, SIGCONT); /* of whoever has stopped it */
	show("pending", &now);
	CHECK(handled[SIGUSR1] == 0);
	sigemptyset(&now);
	sigaddset(&now, SIGUSR1);
	sigprocmask(SIG_UNBLOCK, &now, NULL);
	CHECK(handled[SIGUSR1] == 1 && handled[SIGSEGV] == 0);
	__asm__ volatile("" ::: "memory"); /* libc declares signal functions "leaf": that handlers run is not known */
	show("in the handler", &inside);
	now = all;
	sigdelset(&now, SIGSEGV);
	CHECK(sigsuspend(&now) == -1 && errno == EINTR && handled[SIGSEGV] == 1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	show("after", &now);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return passed();
}
