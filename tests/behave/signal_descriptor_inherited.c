/* A signalfd for the signals of faults that a program finds open when it is executed: it tells of those that are sent while they are blocked, before the exec and
 * after it.
 * build: -O2
 * build: -O2 -static
 * time: 60
 */
#include "behave.h"
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static int receive(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	struct signalfd_siginfo info;

	alarm(20);
	CHECK(poll(&p, 1, -1) == 1);
	CHECK(read(fd, &info, sizeof info) == sizeof info);
	return info.ssi_signo;
}

int main(int argc, char **argv)
{
	sigset_t set, pending;
	char number[16];
	int status, fd;

	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigaddset(&set, SIGTRAP);
	if (argc == 1) {
		sigprocmask(SIG_BLOCK, &set, NULL);
		CHECK((fd = signalfd(-1, &set, 0)) >= 0);
		snprintf(number, sizeof number, "%d", fd);
		kill(getpid(), SIGTRAP);
		execl("/proc/self/exe", argv[0], number, NULL);
	}
	fd = atoi(argv[1]);
	CHECK(receive(fd) == SIGTRAP);
	kill(getpid(), SIGSEGV);
	CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGSEGV) == 1);
	CHECK(receive(fd) == SIGSEGV);
	if (!fork()) {
		kill(getppid(), SIGTRAP);
		_exit(0);
	}
	CHECK(receive(fd) == SIGTRAP);
	wait(&status);
	CHECK(sigpending(&pending) == 0 && sigisemptyset(&pending));
	return passed();
}
