/* Every signal there is: sent by kill, tgkill and sigqueue to a handler, with what siginfo says; ignored; blocked, pending and taken by sigtimedwait;
 * and what each does to a process that has done nothing about it.
 * build: -O2
 * build: -O2 -static
 * time: 60
 */
#include "behave.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int count, last, code, value;
static volatile pid_t sender;

static void handler(int signal, siginfo_t *info, void *context)
{
	count++;
	last = signal;
	code = info->si_code;
	sender = info->si_pid;
	value = info->si_value.sival_int;
}

/* glibc keeps 32 and 33 for itself: they go to the kernel directly. */
static int is_usable(int signal) { return signal != SIGKILL && signal != SIGSTOP && signal != 32 && signal != 33; }

static void handled(int s)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO }, now;
	union sigval v = { .sival_int = 1000 + s };

	CHECK(sigaction(s, &a, NULL) == 0 && sigaction(s, NULL, &now) == 0 && now.sa_sigaction == handler);
	count = 0;
	CHECK(kill(getpid(), s) == 0 && count == 1 && last == s && code == SI_USER && sender == getpid());
	CHECK(syscall(SYS_tgkill, getpid(), gettid(), s) == 0 && count == 2 && last == s && code == SI_TKILL && sender == getpid());
	CHECK(sigqueue(getpid(), s, v) == 0 && count == 3 && last == s && code == SI_QUEUE && value == 1000 + s);
	CHECK(raise(s) == 0 && count == 4);
	CHECK(signal(s, SIG_IGN) != SIG_ERR);
	CHECK(kill(getpid(), s) == 0 && count == 4);
}

static void waited_for(int s)
{
	sigset_t set, pending;
	siginfo_t info;
	union sigval v = { .sival_int = 2000 + s };

	signal(s, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, s);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0 && sigqueue(getpid(), s, v) == 0);
	CHECK(sigpending(&pending) == 0 && sigismember(&pending, s));
	CHECK(sigtimedwait(&set, &info, NULL) == s && info.si_signo == s && info.si_code == SI_QUEUE && info.si_value.sival_int == 2000 + s);
	CHECK(sigpending(&pending) == 0 && !sigismember(&pending, s));
	CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
}

/* The child does nothing about it. The parent waits for its end, or sees that it stopped or went on. */
static void by_default(int s)
{
	struct rlimit none = { 0, 0 };
	int status, ready[2];
	char c;

	pipe(ready);
	pid_t pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CORE, &none);
		kill(getpid(), s);
		write(ready[1], "x", 1);
		_exit(7);
	}
	close(ready[1]);
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	if (WIFSTOPPED(status)) {
		printf("%d: stopped by %d\n", s, WSTOPSIG(status));
		kill(pid, SIGCONT);
		CHECK(waitpid(pid, &status, 0) == pid);
	}
	printf("%d: %s %d%s\n", s, WIFEXITED(status) ? "exit" : "killed by", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
	       read(ready[0], &c, 1) == 1 ? ", went on" : "");
	close(ready[0]);
}

int main(void)
{
	for (int s = 1; s <= 64; s++)
		if (is_usable(s)) {
			handled(s);
			waited_for(s);
		}
	fflush(stdout);
	for (int s = 1; s <= 64; s++)
		if (s != 32 && s != 33)
			by_default(s);
	return passed();
}
