#include "cli/restart.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

enum { QUICK_DEATHS_MAX = 10, QUICK_SECONDS = 1 };

static volatile pid_t child;
static volatile int *told_to_end;

int restart_parse(const char *text, enum restart_policy *out)
{
	static const char *const names[] = {"never", "on-failure", "always"};
	for (int i = 0; i < 3; i++)
		if (!strcmp(text, names[i])) {
			*out = i;
			return 0;
		}
	return -EINVAL;
}

const volatile int *restart_told_to_end(void)
{
	void *page = mmap(NULL, sizeof *told_to_end, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		die(EXIT_CLEARVIEW, "can't start the program: %s", strerror(errno));
	return told_to_end = page;
}

/* The terminal signals the whole process group by itself; what somebody sends to us is meant for the program. */
static void pass_on(int signal, siginfo_t *info, void *context)
{
	if (signal == SIGTERM || signal == SIGINT || signal == SIGQUIT || signal == SIGHUP)
		*told_to_end = 1;
	if (info->si_code <= 0 && child > 0)
		kill(child, signal);
}

static void install_handlers(void)
{
	static const int passed[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};
	struct sigaction a = {.sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART};
	for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++)
		sigaction(passed[i], &a, NULL);
}

static int run_once(void (*start)(void *), void *context)
{
	sigset_t all, before;
	int status;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	child = fork();
	if (child < 0)
		die(EXIT_CLEARVIEW, "can't start the program: %s", strerror(errno));
	if (!child) {
		for (int s = 1; s < NSIG; s++)
			if (s == SIGTERM || s == SIGINT || s == SIGQUIT || s == SIGHUP || s == SIGUSR1 || s == SIGUSR2 || s == SIGWINCH || s == SIGCONT)
				signal(s, SIG_DFL);
		sigprocmask(SIG_SETMASK, &before, NULL);
		start(context);
		_exit(EXIT_CLEARVIEW);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			die(EXIT_CLEARVIEW, "lost the program: %s", strerror(errno));
	return status;
}

static bool again(enum restart_policy policy, int status)
{
	if (*told_to_end)
		return false;
	if (policy == RESTART_ALWAYS)
		return !WIFEXITED(status) || WEXITSTATUS(status) < EXIT_CLEARVIEW;
	return WIFSIGNALED(status) ? WTERMSIG(status) != SIGTERM && WTERMSIG(status) != SIGINT && WTERMSIG(status) != SIGHUP :
				     WEXITSTATUS(status) != 0 && WEXITSTATUS(status) < EXIT_CLEARVIEW;
}

static int end_like(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	struct rlimit no_core = {0, 0};
	setrlimit(RLIMIT_CORE, &no_core);
	signal(WTERMSIG(status), SIG_DFL);
	raise(WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

int restart_run(enum restart_policy policy, void (*start)(void *context), void *context)
{
	int quick = 0, status;
	install_handlers();
	for (;;) {
		time_t began = time(NULL);
		status = run_once(start, context);
		if (!again(policy, status))
			return end_like(status);
		quick = time(NULL) - began <= QUICK_SECONDS ? quick + 1 : 0;
		if (quick > QUICK_DEATHS_MAX) {
			log_error("the program ends as soon as it is started, %d times in a row: giving up", quick);
			return end_like(status);
		}
	}
}
