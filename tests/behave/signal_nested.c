/* Handlers interrupt handlers; locals, errno and floating point of each level are intact when it goes on. */
#include "behave.h"
#include <signal.h>

static volatile int depth, deepest, count;

static void handler(int signal)
{
	volatile double x = depth * 1.5;
	int saved = errno;

	count++;
	if (++depth > deepest)
		deepest = depth;
	errno = depth;
	if (depth < 20)
		raise(depth % 2 ? SIGUSR2 : SIGTRAP);
	CHECK(errno == depth);
	depth--;
	CHECK(x == depth * 1.5);
	errno = saved;
}

int main(void)
{
	struct sigaction a = { .sa_handler = handler, .sa_flags = SA_NODEFER };

	sigaction(SIGTRAP, &a, NULL);
	sigaction(SIGUSR2, &a, NULL);
	for (int i = 0; i < 50; i++) {
		errno = 77;
		raise(SIGUSR2);
		CHECK(errno == 77 && depth == 0);
	}
	printf("deepest %d, %d calls\n", deepest, count);
	return passed();
}
