/* A vforked child and a spawned one change signal actions, masks and alternate stacks of their own: the parent's stay as they were.
 * also: detach
 */
#include "behave.h"
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static volatile int handled[65];
static void handler(int signal) { handled[signal]++; }

static const int signals[] = { SIGSEGV, SIGTRAP, SIGILL, SIGABRT, SIGUSR1, SIGTERM };
enum { SIGNALS = sizeof signals / sizeof *signals };

static void check_parent(int times)
{
	struct sigaction a;
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	CHECK(sigismember(&set, SIGSEGV) == 0 && sigismember(&set, SIGUSR2) == 1 && sigismember(&set, SIGBUS) == 1);
	for (int i = 0; i < SIGNALS; i++) {
		CHECK(sigaction(signals[i], NULL, &a) == 0 && a.sa_handler == handler);
		CHECK(raise(signals[i]) == 0 && handled[signals[i]] == times);
	}
}

static void vfork_child(void)
{
	struct sigaction a = { .sa_handler = SIG_DFL };
	sigset_t set;
	int status;

	if (!vfork()) {
		for (int i = 0; i < SIGNALS; i++)
			sigaction(signals[i], &a, NULL);
		sigfillset(&set);
		sigprocmask(SIG_SETMASK, &set, NULL);
		execl("/bin/true", "true", NULL);
		_exit(127);
	}
	wait(&status);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void spawned_child(void)
{
	char *argv[] = { "sh", "-c", "kill -TERM $$", NULL };
	posix_spawnattr_t attributes;
	sigset_t all, none;
	pid_t pid;
	int status;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	CHECK(posix_spawn(&pid, "/bin/sh", NULL, &attributes, argv, environ) == 0);
	waitpid(pid, &status, 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

int main(void)
{
	struct sigaction a = { .sa_handler = handler };
	sigset_t set;

	for (int i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &a, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGBUS);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 4; i++) {
		check_parent(2 * i + 1);
		vfork_child();
		check_parent(2 * i + 2);
		spawned_child();
	}
	return passed();
}
