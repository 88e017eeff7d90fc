/* Signals taken through signalfd, timerfd and ppoll's mask. (Fault signals that are sent don't reach a signalfd: src/guest/README.md.) */
#include "behave.h"
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

static volatile int handled;
static void handler(int signal) { handled++; }

int main(void)
{
	struct itimerspec soon = { { 0, 0 }, { 0, 5000000 } };
	struct signalfd_siginfo info;
	uint64_t expirations;
	sigset_t set, none;
	int fd, timer = timerfd_create(CLOCK_MONOTONIC, 0);

	sigemptyset(&set);
	sigemptyset(&none);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK((fd = signalfd(-1, &set, 0)) >= 0);
	raise(SIGUSR1);
	raise(SIGUSR2);
	CHECK(read(fd, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR1);
	CHECK(read(fd, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR2);
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	CHECK(handled == 0 && ppoll(NULL, 0, NULL, &none) == -1 && errno == EINTR && handled == 1);
	timerfd_settime(timer, 0, &soon, NULL);
	CHECK(read(timer, &expirations, sizeof expirations) == sizeof expirations && expirations == 1);
	return passed();
}
