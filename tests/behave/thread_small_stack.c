/* A thread with the smallest stack there may be (16 KiB) does real work and handles a signal. */
#include "behave.h"
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t handled;
static void handler(int signal) { handled++; }

static void *work(void *unused)
{
	char text[256];
	int total = 0;

	for (int i = 0; i < 1000; i++)
		total += snprintf(text, sizeof text, "%d %x", i, i * i);
	for (int i = 0; i < 10; i++)
		pthread_kill(pthread_self(), SIGUSR1);
	return (void *)(long)total;
}

int main(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	void *total;

	signal(SIGUSR1, handler);
	pthread_attr_init(&attributes);
	CHECK(pthread_attr_setstacksize(&attributes, 16384) == 0);
	for (int i = 0; i < 50; i++) {
		CHECK(pthread_create(&thread, &attributes, work, NULL) == 0);
		pthread_join(thread, &total);
	}
	printf("%ld %d\n", (long)total, (int)handled);
	return passed();
}
