/* Two processes that load a library after the fork, one after the other, at the same address. Each says so with its number, and waits. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void load(const char *library)
{
	void *handle = dlopen(library, RTLD_NOW);
	const char *(*version)(void) = handle ? (const char *(*)(void))dlsym(handle, "zlibVersion") : NULL;
	if (!version || !version()[0])
		exit(1);
	printf("%d %p\n", getpid(), (void *)version);
	fflush(stdout);
	pause();
}

int main(int argc, char **argv)
{
	int ready[2];
	char c;
	if (pipe(ready))
		return 1;
	for (int i = 0; i < 2; i++) {
		if (!fork() && read(ready[0], &c, 1) == 1)
			load(argv[1]);
	}
	while (read(0, &c, 1) == 1) /* a byte for each of them */
		if (write(ready[1], &c, 1) != 1)
			return 1;
	return 0;
}
