/* Hundreds of children are killed at any moment of their first microseconds; the parent and its other children go on undisturbed. */
#include "behave.h"
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static __attribute__((noinline)) int fresh_code(int x)
{
	switch (x % 6) {
	case 0: return 10; case 1: return 33; case 2: return 7; case 3: return 19; case 4: return 2; default: return -x;
	}
}

static void spin(unsigned n)
{
	for (volatile unsigned i = 0; i < n; i++)
		;
}

int main(int argc, char **argv)
{
	int status, killed = 0;
	char *arguments[] = { argv[0], "again", NULL };

	if (argc > 1)
		return fresh_code(9) == 19 ? 7 : 8;
	for (int i = 0; i < 600; i++) {
		pid_t pid = fork();
		if (!pid) {
			if (i % 3 == 0)
				execv(argv[0], arguments);
			for (int k = 0; ; k++)
				fresh_code(k);
		}
		spin((unsigned)i * 7919 % 60000);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		killed += WIFSIGNALED(status) || WEXITSTATUS(status) == 7;
	}
	CHECK(killed == 600);
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();
		if (!pid)
			execv(argv[0], arguments);
		waitpid(pid, &status, 0);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	}
	return passed();
}
