/* A daemon: double fork, setsid, descriptors replaced; it outlives its starter and answers through a pipe. */
#include "behave.h"
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static void daemonise(int out)
{
	int null = open("/dev/null", O_RDWR);
	pid_t starter;

	CHECK(setsid() == getpid());
	starter = getpid();
	if (fork())
		_exit(0);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	chdir("/");
	CHECK(getsid(0) == starter && getpgrp() == starter);
	while (getppid() == starter)
		usleep(1000);
	dprintf(out, "daemon speaks\n");
	_exit(0);
}

int main(void)
{
	char text[64];
	int pipes[2], status;
	ssize_t n;

	pipe(pipes);
	pid_t pid = fork();
	if (!pid)
		daemonise(pipes[1]);
	close(pipes[1]);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	while ((n = read(pipes[0], text, sizeof text)) > 0)
		fwrite(text, 1, n, stdout);
	return passed();
}
