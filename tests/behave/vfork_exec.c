/* vfork: the child borrows the parent's stack and memory until it execs or exits. */
#include "behave.h"
#include <sys/wait.h>
#include <unistd.h>

static __attribute__((noinline)) int start(const char *program, int code)
{
	volatile int changed = 0;
	char number[12];
	int status;

	snprintf(number, sizeof number, "%d", code);
	pid_t pid = vfork();
	if (!pid) {
		changed = code;
		if (code % 2)
			_exit(code);
		execl(program, program, number, NULL);
		_exit(200);
	}
	CHECK(changed == code);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	int sum = 0;

	if (argc > 1)
		return atoi(argv[1]);
	for (int i = 0; i < 40; i++)
		sum += start(argv[0], i);
	printf("%d %d\n", sum, start("/missing/program", 2));
	return passed();
}
