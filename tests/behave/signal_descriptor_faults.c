/* The signals of faults, blocked and sent: to a descriptor that is polled and read, also while another thread runs, with what siginfo says of who sent them; and not
 * to anybody else.
 * build: -O2
 * build: -O2 -static
 */
#include "behave.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int handled;
static void handler(int signal) { handled++; }

static void *send_later(void *unused)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	CHECK(sigqueue(getpid(), SIGSEGV, (union sigval){ .sival_int = 77 }) == 0);
	return NULL;
}

int main(void)
{
	static const int signals[] = { SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV };
	struct signalfd_siginfo info;
	pthread_t thread;
	sigset_t set, pending;

	sigemptyset(&set);
	for (int i = 0; i < 5; i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC), epoll = epoll_create1(0);
	struct pollfd p = { fd, POLLIN, 0 };
	struct epoll_event e = { .events = EPOLLIN };
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
	CHECK(poll(&p, 1, 0) == 0);
	for (int i = 0; i < 5; i++) {
		CHECK(sigqueue(getpid(), signals[i], (union sigval){ .sival_int = i }) == 0 && kill(getpid(), signals[i]) == 0);
		CHECK(poll(&p, 1, -1) == 1 && epoll_wait(epoll, &e, 1, -1) == 1);
		CHECK(read(fd, &info, sizeof info) == sizeof info && (int)info.ssi_signo == signals[i] && info.ssi_int == i);
		CHECK(sigpending(&pending) == 0 && sigisemptyset(&pending));
		CHECK(poll(&p, 1, 0) == 0);
	}
	pthread_create(&thread, NULL, send_later, NULL);
	CHECK(read(fd, &info, sizeof info) == sizeof info && info.ssi_signo == SIGSEGV && info.ssi_int == 77);
	pthread_join(thread, NULL);
	pthread_create(&thread, NULL, send_later, NULL);
	CHECK(poll(&p, 1, -1) == 1 && epoll_wait(epoll, &e, 1, -1) == 1);
	pthread_join(thread, NULL);
	CHECK(read(fd, &info, sizeof info) == sizeof info && info.ssi_signo == SIGSEGV && info.ssi_int == 77);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	CHECK(read(fd, &info, sizeof info) < 0 && errno == EAGAIN);
	pid_t pid = fork();
	if (!pid) {
		alarm(20);
		kill(getppid(), SIGTRAP);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	CHECK(poll(&p, 1, -1) == 1 && read(fd, &info, sizeof info) == sizeof info && info.ssi_signo == SIGTRAP && (pid_t)info.ssi_pid == pid);
	/* Not by descriptor: delivered when unblocked. */
	signal(SIGBUS, handler);
	kill(getpid(), SIGBUS);
	CHECK(poll(&p, 1, -1) == 1 && handled == 0);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	CHECK(handled == 1);
	CHECK(read(fd, &info, sizeof info) < 0 && errno == EAGAIN);
	return passed();
}

