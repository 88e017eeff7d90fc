/* attach_threads COMPUTING BLOCKED HANDLING: threads of each kind; a call that is cut short ends it. Lines are answered. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STACK = 65536, KINDS = 3 };
static int pipes[2];

static void *compute(void *unused)
{
	for (volatile unsigned long n = 1;; n++) {
		char *volatile block = malloc(16 + n % 64);
		free(block);
	}
	return unused;
}

static void wait_for_ever(int signal)
{
	char c;

	if (read(pipes[0], &c, 1) != 1)
		_exit(1);
}

static void *block(void *p)
{
	wait_for_ever(0);
	return p;
}

static void *handle(void *p)
{
	raise(SIGUSR1);
	return p;
}

int main(int argc, char **argv)
{
	static void *(*const kinds[KINDS])(void *) = {compute, block, handle};
	struct sigaction a = {.sa_handler = wait_for_ever, .sa_flags = SA_RESTART};
	pthread_attr_t small;
	pthread_t one;
	char line[64];

	if (argc != 1 + KINDS || pipe(pipes) || sigaction(SIGUSR1, &a, NULL) || pthread_attr_init(&small) || pthread_attr_setstacksize(&small, STACK))
		return 1;
	for (int k = 0; k < KINDS; k++)
		for (int i = atoi(argv[1 + k]); i > 0; i--)
			if (pthread_create(&one, &small, kinds[k], NULL))
				return 1;
	puts("go");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		fputs(line, stdout);
		fflush(stdout);
	}
	return 0;
}
