/* A pipeline of four processes moves a megabyte; the ends see end of file and SIGPIPE as they should. */
#include "behave.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void filter(int from, int to)
{
	unsigned char buffer[4096];
	ssize_t n;

	while ((n = read(from, buffer, sizeof buffer)) > 0) {
		for (int i = 0; i < n; i++)
			buffer[i] = buffer[i] * 3 + 1;
		CHECK(write(to, buffer, n) == n);
	}
	_exit(0);
}

static int stage(int from)
{
	int p[2];

	pipe(p);
	if (!fork()) {
		close(p[0]);
		filter(from, p[1]);
	}
	close(p[1]);
	close(from);
	return p[0];
}

int main(void)
{
	unsigned char buffer[4096];
	unsigned long sum = 0, total = 0;
	int p[2], out, status;
	ssize_t n;

	pipe(p);
	if (!fork()) {
		for (int i = 0; i < 256; i++) {
			memset(buffer, i, sizeof buffer);
			write(p[1], buffer, sizeof buffer);
		}
		_exit(0);
	}
	close(p[1]);
	out = stage(stage(stage(p[0])));
	while ((n = read(out, buffer, sizeof buffer)) > 0)
		for (int i = 0; i < n; i++, total++)
			sum = sum * 31 + buffer[i];
	printf("%lu bytes, sum %lu\n", total, sum);
	while (wait(&status) > 0)
		CHECK(status == 0);
	pipe(p);
	pid_t pid = fork();
	if (!pid) {
		close(p[0]);
		for (;;)
			write(p[1], buffer, sizeof buffer);
	}
	close(p[0]);
	close(p[1]);
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
	return passed();
}
