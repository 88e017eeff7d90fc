/* clone as runtimes use it: shared memory, own small stack, no thread-local storage of its own. */
#include "behave.h"
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int shared;

static int work(void *p)
{
	for (int i = 0; i < 1000; i++)
		shared += *(int *)p;
	return 3;
}

int main(void)
{
	static char stack[16384] __attribute__((aligned(16)));
	int added = 2, status;

	for (int i = 0; i < 100; i++) {
		pid_t pid = clone(work, stack + sizeof stack, CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD, &added);
		CHECK(pid > 0);
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	}
	printf("%d\n", shared);
	return passed();
}
