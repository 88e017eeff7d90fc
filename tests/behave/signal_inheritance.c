/* A forked child inherits handlers and mask; an exec resets handlers, keeps what is ignored and the mask. */
#include "behave.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int handled;
static void handler(int signal) { handled++; }

static void after_exec(void)
{
	struct sigaction a;
	sigset_t set;

	CHECK(sigaction(SIGSEGV, NULL, &a) == 0 && a.sa_handler == SIG_DFL);
	CHECK(sigaction(SIGTRAP, NULL, &a) == 0 && a.sa_handler == SIG_IGN);
	CHECK(sigaction(SIGUSR1, NULL, &a) == 0 && a.sa_handler == SIG_IGN);
	CHECK(sigaction(SIGILL, NULL, &a) == 0 && a.sa_handler == SIG_DFL);
	CHECK(sigprocmask(SIG_BLOCK, NULL, &set) == 0 && sigismember(&set, SIGFPE) == 1 && sigismember(&set, SIGUSR2) == 1);
	CHECK(sigismember(&set, SIGTRAP) == 0);
	passed();
}

int main(int argc, char **argv)
{
	sigset_t set;
	int status;

	if (argc > 1) {
		after_exec();
		return 0;
	}
	signal(SIGSEGV, handler);
	signal(SIGILL, handler);
	signal(SIGTRAP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGFPE);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (!fork()) {
		raise(SIGSEGV);
		raise(SIGILL);
		sigprocmask(SIG_BLOCK, NULL, &set);
		_exit(handled * 10 + sigismember(&set, SIGFPE));
	}
	wait(&status);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 21);
	execl(argv[0], argv[0], "again", NULL);
	return 1;
}
