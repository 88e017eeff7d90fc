/* A parent sees its child stop, continue and end: waitpid with WUNTRACED and WCONTINUED, waitid, SIGCHLD's siginfo. */
#include "behave.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t code, status_seen;
static void on_child(int signal, siginfo_t *info, void *context) { code = info->si_code; status_seen = info->si_status; }

int main(void)
{
	struct sigaction a = { .sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART };
	siginfo_t info;
	int status;

	sigaction(SIGCHLD, &a, NULL);
	pid_t pid = fork();
	if (!pid) {
		raise(SIGSTOP);
		_exit(6);
	}
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK(code == CLD_STOPPED && status_seen == SIGSTOP);
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	/* A SIGCHLD that is pending swallows the next one: ask for the end only. */
	a.sa_flags |= SA_NOCLDSTOP;
	sigaction(SIGCHLD, &a, NULL);
	kill(pid, SIGCONT);
	CHECK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT) == 0 && info.si_code == CLD_EXITED && info.si_status == 6);
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 6);
	CHECK(code == CLD_EXITED && status_seen == 6);
	CHECK(waitpid(-1, &status, 0) == -1 && errno == ECHILD);
	return passed();
}
