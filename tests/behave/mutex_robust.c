/* Robust mutexes: the owner ends (a thread returns, a process exits, is killed, execs) and the next one is told; inheritance of priority; mutexes between processes.
 * build: -O2
 * build: -O2 -static
 */
#include "behave.h"
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t *shared;

static void *end_holding(void *mutex)
{
	CHECK(pthread_mutex_lock(mutex) == 0);
	return NULL;
}

static void initialise(pthread_mutex_t *m, int protocol)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	CHECK(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST) == 0);
	CHECK(pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED) == 0);
	CHECK(pthread_mutexattr_setprotocol(&a, protocol) == 0);
	CHECK(pthread_mutex_init(m, &a) == 0);
}

static void recover(pthread_mutex_t *m, const char *after)
{
	CHECK(pthread_mutex_lock(m) == EOWNERDEAD);
	CHECK(pthread_mutex_consistent(m) == 0 && pthread_mutex_unlock(m) == 0);
	CHECK(pthread_mutex_lock(m) == 0 && pthread_mutex_unlock(m) == 0);
	printf("recovered after %s\n", after);
}

static void by_process(pthread_mutex_t *m, int how)
{
	static const char *const names[] = { "an exit", "a kill", "an exec", "a fault" };
	int status, ready[2];
	char c;

	pipe(ready);
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		CHECK(pthread_mutex_lock(m) == 0);
		write(ready[1], "x", 1);
		switch (how) {
		case 0: _exit(0);
		case 1: for (;;) pause();
		case 2: execl("/bin/true", "true", NULL); _exit(1);
		default: __builtin_trap();
		}
	}
	CHECK(read(ready[0], &c, 1) == 1);
	if (how == 1)
		kill(pid, SIGKILL);
	recover(m, names[how]);
	CHECK(waitpid(pid, &status, 0) == pid);
}

int main(void)
{
	static const int protocols[] = { PTHREAD_PRIO_NONE, PTHREAD_PRIO_INHERIT };
	pthread_t thread;

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int p = 0; p < 2; p++) {
		initialise(shared, protocols[p]);
		for (int i = 0; i < 20; i++) {
			CHECK(pthread_create(&thread, NULL, end_holding, shared) == 0);
			CHECK(pthread_join(thread, NULL) == 0 && pthread_mutex_lock(shared) == EOWNERDEAD);
			CHECK(pthread_mutex_consistent(shared) == 0 && pthread_mutex_unlock(shared) == 0);
		}
		for (int how = 0; how < 4; how++)
			by_process(shared, how);
		/* Not made consistent: lost for good. */
		pthread_create(&thread, NULL, end_holding, shared);
		pthread_join(thread, NULL);
		CHECK(pthread_mutex_lock(shared) == EOWNERDEAD && pthread_mutex_unlock(shared) == 0);
		CHECK(pthread_mutex_lock(shared) == ENOTRECOVERABLE && pthread_mutex_destroy(shared) == 0);
	}
	return passed();
}
