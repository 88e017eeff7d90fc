/* A thread that is not the first one replaces the process while others run. */
#include "behave.h"
#include <pthread.h>
#include <unistd.h>

static void *spin(void *p) { for (volatile long i = 0;; i++) ; return NULL; }

static void *replace(void *program)
{
	execl(program, program, "again", NULL);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc > 1) {
		CHECK(!strcmp(argv[1], "again"));
		return passed();
	}
	for (int i = 0; i < 4; i++)
		pthread_create(&thread, NULL, spin, NULL);
	pthread_create(&thread, NULL, replace, argv[0]);
	pthread_join(thread, NULL);
	return 1;
}
