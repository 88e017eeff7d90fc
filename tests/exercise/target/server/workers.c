/* workers.c - processes and threads (see workers.h). The parent does nothing but wait: when a worker
 * ends it starts another. */
#include "workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve.h"

struct scoreboard {
	int count;
	int ended;                  /* workers that had to be replaced */
	pid_t pids[WORKERS_MAX];
};

static struct scoreboard *board;

static void *thread_main(void *listener)
{
	serve_loop(*(int *)listener);
	return NULL;
}

static int serve_threads(int listener, int threads)
{
	pthread_t thread;

	for (int i = 1; i < threads; i++)
		if (pthread_create(&thread, NULL, thread_main, &listener) != 0)
			return -1;
	serve_loop(listener);
	return -1;
}

static void worker_start(int slot, int listener, int threads)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		serve_threads(listener, threads);
		_exit(1);
	}
	board->pids[slot] = pid;
}

static void worker_ended(pid_t pid, int status, int listener, int threads)
{
	if (WIFSIGNALED(status))
		fprintf(stderr, "gazette: worker %d ended by signal %d\n", (int)pid, WTERMSIG(status));
	else
		fprintf(stderr, "gazette: worker %d ended with status %d\n", (int)pid, WEXITSTATUS(status));
	for (int i = 0; i < board->count; i++) {
		if (board->pids[i] == pid) {
			board->ended++;
			worker_start(i, listener, threads);
		}
	}
}

int workers_run(int listener, int processes, int threads)
{
	if (processes == 0)
		return serve_threads(listener, threads);
	board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED)
		return -1;
	board->count = processes < WORKERS_MAX ? processes : WORKERS_MAX;
	for (int i = 0; i < board->count; i++)
		worker_start(i, listener, threads);
	for (;;) {
		int status;
		pid_t pid = wait(&status);

		if (pid > 0)
			worker_ended(pid, status, listener, threads);
		else if (errno != EINTR)
			return -1;
	}
}

void workers_list(struct buf *out)
{
	if (board == NULL)
		return;
	for (int i = 0; i < board->count; i++)
		buf_fmt(out, "worker %d\n", (int)board->pids[i]);
	buf_fmt(out, "replaced %d\n", board->ended);
}
