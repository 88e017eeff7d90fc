/* A guest like any other, beside hostile ones: hostile_neighbour SECONDS. Forks, allocates, handles faults and signals of its own, and says when something goes
 * wrong or takes too long. At the end: how often it went around, and the slowest time in milliseconds. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static sigjmp_buf behind;
static volatile sig_atomic_t alarms;

static void on_fault(int signal)
{
	siglongjmp(behind, 1);
}

static void on_alarm(int signal)
{
	alarms++;
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	printf("wrong: %s\n", what);
	exit(1);
}

static void heap(void)
{
	char *blocks[64];
	for (int i = 0; i < 64; i++)
		memset(blocks[i] = malloc(16 + 40 * i), i, 16 + 40 * i);
	for (int i = 0; i < 64; i++) {
		for (int k = 0; k < 16 + 40 * i; k++)
			if (blocks[i][k] != i)
				fail("a heap block's contents");
		free(blocks[i]);
	}
}

static void fault(void)
{
	if (!sigsetjmp(behind, 1)) {
		*(volatile int *)8 = 1;
		fail("no fault");
	}
}

static void child(int code)
{
	int status;
	pid_t pid = fork();
	if (!pid) {
		if (code % 2)
			execl("/bin/sh", "sh", "-c", "exit 7", NULL);
		_exit(7);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 7)
		fail("a child's end");
}

int main(int argc, char **argv)
{
	double end = now() + atof(argv[1]), slowest = 0;
	unsigned rounds = 0;
	setvbuf(stdout, NULL, _IONBF, 0);
	signal(SIGSEGV, on_fault);
	signal(SIGALRM, on_alarm);
	while (now() < end) {
		double started = now();
		heap();
		fault();
		int before = alarms;
		raise(SIGALRM);
		if (alarms != before + 1)
			fail("a signal");
		child(rounds++);
		if (now() - started > slowest)
			slowest = now() - started;
	}
	printf("%u %.0f\n", rounds, slowest * 1000);
	return 0;
}
