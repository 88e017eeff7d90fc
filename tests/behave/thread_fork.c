/* Threads fork; each child has one thread, can allocate and use its locks, and ends on its own. */
#include "behave.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static int prepared, in_parent, in_child;
static void before(void) { prepared++; }
static void parent(void) { in_parent++; }
static void child(void) { in_child++; }

static void *work(void *n)
{
	long sum = 0;

	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();
		int status;
		if (!pid) {
			char *p = strdup("child");
			_exit(strlen(p) + (long)n);
		}
		CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
		sum += WEXITSTATUS(status);
	}
	return (void *)sum;
}

int main(void)
{
	pthread_t thread[4];
	void *result;
	long sum = 0;

	pthread_atfork(before, parent, child);
	for (long i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, work, (void *)i);
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], &result);
		sum += (long)result;
	}
	printf("%ld\n", sum);
	CHECK(prepared >= 30 && in_parent >= 30 && in_child == 0);
	return passed();
}
