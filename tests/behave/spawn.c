/* posix_spawn with file actions and attributes, popen and system. */
#include "behave.h"
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(void)
{
	char *echo[] = { "echo", "spawned", NULL }, text[64] = "";
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t set;
	int pipes[2], status;
	pid_t pid;

	pipe(pipes);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
	posix_spawnattr_init(&attributes);
	sigfillset(&set);
	posix_spawnattr_setsigdefault(&attributes, &set);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	for (int i = 0; i < 20; i++) {
		CHECK(posix_spawnp(&pid, "echo", &actions, &attributes, echo, environ) == 0);
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
		CHECK(read(pipes[0], text, sizeof text) == 8 && !memcmp(text, "spawned\n", 8));
	}
	CHECK(posix_spawn(&pid, "/missing/program", NULL, NULL, echo, environ) == ENOENT);
	FILE *f = popen("echo from a shell; exit 3", "r");
	CHECK(fgets(text, sizeof text, f));
	fputs(text, stdout);
	CHECK(WEXITSTATUS(pclose(f)) == 3);
	CHECK(WEXITSTATUS(system("exit 9")) == 9);
	status = system("kill -TERM $$");
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	return passed();
}
