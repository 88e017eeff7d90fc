/* A child owns copies of its parent's blocks: freeing and changing them there leaves the parent's alone. */
#include "behave.h"

#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 500 };

static char *block[BLOCKS];

static void child(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		block[i] = realloc(block[i], 200 + i);
		CHECK(block[i][0] == (char)i);
		free(block[i]);
	}
	char *fresh = strdup("of the child's own");
	CHECK(fresh && fresh[0] == 'o');
	free(fresh);
	_exit(7);
}

int main(void)
{
	int status;
	for (int i = 0; i < BLOCKS; i++) {
		block[i] = malloc(10 + i);
		memset(block[i], i, 10 + i);
	}
	for (int round = 0; round < 3; round++) {
		pid_t pid = fork();
		if (!pid)
			child();
		CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
	}
	for (int i = 0; i < BLOCKS; i++) {
		CHECK(block[i][9 + i] == (char)i);
		free(block[i]);
	}
	return passed();
}
