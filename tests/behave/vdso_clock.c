/* Time through the vdso and through system calls agrees and never goes back. */
#include "behave.h"
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long long ns(struct timespec t) { return t.tv_sec * 1000000000LL + t.tv_nsec; }

int main(void)
{
	struct timespec before, here, after;

	for (int i = 0; i < 1000; i++) {
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &before);
		clock_gettime(CLOCK_MONOTONIC, &here);
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &after);
		CHECK(ns(before) <= ns(here) && ns(here) <= ns(after));
	}
	CHECK(llabs((long long)time(NULL) - (long long)syscall(SYS_time, NULL)) <= 1);
	return passed();
}
