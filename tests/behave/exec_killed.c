/* Children are killed while they exec, at any moment of it; the parent hears of each end.
 * time: 60
 */
#include "behave.h"
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHILDREN = 250 };

int main(int argc, char **argv)
{
	int status, ended = 0;
	char *arguments[] = { argv[0], "again", NULL };

	if (argc > 1)
		for (;;)
			pause();
	for (int i = 0; i < CHILDREN; i++) {
		pid_t pid = fork();
		if (!pid) {
			execv(argv[0], arguments);
			_exit(99);
		}
		/* Where in the exec it is hit is the point, and chance. */
		nanosleep(&(struct timespec){ 0, (long)i * 7919 % 400 * 10000 }, NULL);
		kill(pid, SIGKILL);
		ended += waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	}
	CHECK(ended == CHILDREN);
	return passed();
}
