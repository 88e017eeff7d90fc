/* Job control, as a shell does it, on a pseudo-terminal: process groups, foreground and background, SIGTTIN and SIGTTOU, ^C, ^Z, ^\, SIGCONT, SIGHUP when the session's
 * leader ends.
 * build: -O2
 * build: -O2 -static
 */
#include "behave.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int master;
static int pipes[2];

static void expect_stop(pid_t pid, int signal, const char *what)
{
	int status;

	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == signal);
	fprintf(stderr, "%s: stopped by %d\n", what, signal);
}

static void expect_end(pid_t pid, int signal, int code, const char *what)
{
	int status;

	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	if (signal)
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == signal);
	else
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == code);
	fprintf(stderr, "%s: ended as it should\n", what);
}

static void expect_continued(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
}

/* A job in a process group of its own. It tells when it runs. */
static pid_t start(int foreground, void (*body)(void))
{
	char c;
	pid_t pid = fork();

	if (!pid) {
		setpgid(0, 0);
		if (foreground)
			tcsetpgrp(0, getpid());
		signal(SIGTTOU, SIG_DFL);
		write(pipes[1], "x", 1);
		body();
		_exit(0);
	}
	CHECK(read(pipes[0], &c, 1) == 1);
	return pid;
}

static void reads_line(void)
{
	char line[100];
	ssize_t n = read(0, line, sizeof line);

	_exit(n > 0 && !memcmp(line, "typed\n", 6) ? 5 : 6);
}

static void waits(void) { for (;;) pause(); }
static void computes(void) { for (volatile long i = 0;; i++) ; }
static void writes(void)
{
	struct termios t;

	tcgetattr(0, &t);
	t.c_lflag |= TOSTOP;
	tcsetattr(0, TCSANOW, &t); /* from the background: SIGTTOU */
	_exit(7);
}
static volatile sig_atomic_t interrupted;
static void on_interrupt(int signal) { interrupted++; }
static void handles(void)
{
	sigset_t blocked, before;

	signal(SIGINT, on_interrupt);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	write(pipes[1], "y", 1);
	while (!interrupted)
		sigsuspend(&before);
	_exit(8);
}

static void type(const char *text) { CHECK(write(master, text, strlen(text)) == (ssize_t)strlen(text)); }

static void to_foreground(pid_t pid)
{
	CHECK(tcsetpgrp(0, pid) == 0);
	kill(-pid, SIGCONT);
	expect_continued(pid);
}

/* The session's leader: the shell. */
static void shell(void)
{
	char c;
	pid_t pid = start(0, reads_line);

	expect_stop(pid, SIGTTIN, "background read");
	to_foreground(pid);
	type("typed\n");
	expect_end(pid, 0, 5, "background read");
	tcsetpgrp(0, getpid());
	pid = start(0, writes);
	expect_stop(pid, SIGTTOU, "background change");
	to_foreground(pid);
	expect_end(pid, 0, 7, "background change");
	static void (*const bodies[])(void) = { waits, computes };
	for (int i = 0; i < 4; i++) {
		pid = start(1, bodies[i % 2]);
		type("\032");
		expect_stop(pid, SIGTSTP, "^Z");
		CHECK(waitpid(pid, NULL, WNOHANG | WUNTRACED) == 0);
		to_foreground(pid);
		type(i < 2 ? "\003" : "\034");
		expect_end(pid, i < 2 ? SIGINT : SIGQUIT, 0, i < 2 ? "^C" : "^\\");
		tcsetpgrp(0, getpid());
	}
	pid = start(1, handles);
	CHECK(read(pipes[0], &c, 1) == 1);
	type("\003");
	expect_end(pid, 0, 8, "^C handled");
	tcsetpgrp(0, getpid());
	pid = start(0, waits);
	kill(pid, SIGSTOP);
	expect_stop(pid, SIGSTOP, "stopped by hand");
	write(pipes[1], (char *)&pid, sizeof pid); /* the orphan gets SIGHUP and SIGCONT when this one ends */
	_exit(0);
}

int main(void)
{
	int status;
	pid_t orphan;

	pipe(pipes);
	master = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	pid_t leader = fork();
	if (!leader) {
		signal(SIGTTOU, SIG_IGN);
		setsid();
		int slave = open(ptsname(master), O_RDWR);
		CHECK(slave >= 0 && ioctl(slave, TIOCSCTTY, 0) == 0);
		dup2(slave, 0);
		shell();
	}
	CHECK(waitpid(leader, &status, 0) == leader && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK(read(pipes[0], &orphan, sizeof orphan) == sizeof orphan);
	close(pipes[1]);
	CHECK(read(pipes[0], &status, 1) == 0); /* the orphan held the other end */
	return passed();
}
