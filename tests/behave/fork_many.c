/* Many children, nested, which return values, die by signals (none that ClearView would take for a failure and repair) and write to shared memory. */
#include "behave.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int nest(int depth)
{
	int status;

	if (!depth)
		return 1;
	if (!fork())
		_exit(nest(depth - 1) + 1);
	wait(&status);
	return WEXITSTATUS(status);
}

int main(void)
{
	int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), exits = 0, signals = 0, status;
	struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	for (int i = 0; i < 100; i++)
		if (!fork()) {
			__atomic_add_fetch(shared, i, __ATOMIC_RELAXED);
			if (i % 3 == 0)
				raise(i % 2 ? SIGTERM : SIGUSR1);
			_exit(i);
		}
	while (wait(&status) > 0)
		if (WIFEXITED(status))
			exits += WEXITSTATUS(status);
		else
			signals += WTERMSIG(status);
	printf("exits %d signals %d shared %d nested %d\n", exits, signals, *shared, nest(8));
	return passed();
}
