/* Interrupted system calls: restarted with SA_RESTART, EINTR without; sleeps tell what is left. */
#include "behave.h"
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int pipes[2];
static volatile int handled;

static void handler(int signal)
{
	if (++handled == 3)
		write(pipes[1], "x", 1);
}

static void every_ms(int ms)
{
	struct itimerval timer = { { 0, ms * 1000 }, { 0, ms * 1000 } };
	setitimer(ITIMER_REAL, &timer, NULL);
}

int main(void)
{
	struct sigaction a = { .sa_handler = handler, .sa_flags = SA_RESTART };
	struct timespec second = { 5, 0 }, left = { 0, 0 };
	char c;

	pipe(pipes);
	sigaction(SIGALRM, &a, NULL);
	every_ms(20);
	CHECK(read(pipes[0], &c, 1) == 1 && c == 'x' && handled >= 3);
	a.sa_flags = 0;
	sigaction(SIGALRM, &a, NULL);
	CHECK(read(pipes[0], &c, 1) == -1 && errno == EINTR);
	CHECK(nanosleep(&second, &left) == -1 && errno == EINTR && left.tv_sec == 4);
	every_ms(0);
	return passed();
}
