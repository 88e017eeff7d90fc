/* Real-time signals queue: every one arrives, values in the order they were sent, lower numbers first; others are merged; across threads and processes, by handler, by
 * sigtimedwait and by signalfd.
 * build: -O2
 * build: -O2 -static
 */
#include "behave.h"
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EACH = 100, KINDS = 5 };

static volatile int count, sequence[KINDS * EACH + 10];
static void handler(int signal, siginfo_t *info, void *context) { sequence[count++] = info->si_value.sival_int; }

static void send_all(pid_t to)
{
	for (int i = 0; i < EACH; i++)
		for (int kind = KINDS; kind-- > 0;)
			CHECK(sigqueue(to, SIGRTMIN + kind, (union sigval){ .sival_int = kind * EACH + i }) == 0);
}

static sigset_t real_time(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (int kind = 0; kind < KINDS; kind++)
		sigaddset(&set, SIGRTMIN + kind);
	return set;
}

/* Pending ones are delivered one on top of the other, so that the last handler entered is the first to run; with all blocked in it, in order. */
static void by_handler(void)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	sigset_t set = real_time();

	a.sa_mask = set;
	for (int kind = 0; kind < KINDS; kind++)
		sigaction(SIGRTMIN + kind, &a, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	send_all(getpid());
	CHECK(count == 0);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	CHECK(count == KINDS * EACH);
	for (int i = 0; i < count; i++)
		CHECK(sequence[i] == i);
	puts("handler: in order");
}

static void by_wait(void)
{
	sigset_t set = real_time();
	siginfo_t info;

	sigprocmask(SIG_BLOCK, &set, NULL);
	pid_t pid = fork();
	if (!pid) {
		send_all(getppid());
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	for (int i = 0; i < KINDS * EACH; i++)
		CHECK(sigtimedwait(&set, &info, NULL) == SIGRTMIN + i / EACH && info.si_value.sival_int == i && info.si_pid == pid);
	CHECK(sigtimedwait(&set, &info, &(struct timespec){ 0, 0 }) < 0 && errno == EAGAIN);
	puts("sigtimedwait: in order");
}

static void by_descriptor(void)
{
	sigset_t set = real_time();
	int fd = signalfd(-1, &set, SFD_NONBLOCK);
	struct signalfd_siginfo info[7];
	int n = 0;

	send_all(getpid());
	for (ssize_t got; (got = read(fd, info, sizeof info)) > 0;)
		for (int i = 0; i < (int)(got / sizeof *info); i++, n++)
			CHECK((int)info[i].ssi_signo == SIGRTMIN + n / EACH && info[i].ssi_int == n);
	CHECK(n == KINDS * EACH);
	close(fd);
	puts("signalfd: in order");
}

int main(void)
{
	by_handler();
	by_wait();
	by_descriptor();
	return passed();
}
