/* A fault in one of several threads ends the whole process with the fault's signal.
 * run: => SIGSEGV
 */
#include "behave.h"
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

static void *faulting(void *p) { *(volatile int *)p = 1; return NULL; }
static void *waiting(void *p) { for (;;) pause(); return NULL; }

int main(void)
{
	struct rlimit no_core = { 0, 0 };
	pthread_t thread;

	setrlimit(RLIMIT_CORE, &no_core);
	passed();
	for (int i = 0; i < 10; i++)
		pthread_create(&thread, NULL, waiting, NULL);
	pthread_create(&thread, NULL, faulting, (void *)16);
	pthread_join(thread, NULL);
	return 1;
}
