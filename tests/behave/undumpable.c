/* A process that forbids being looked at (PR_SET_DUMPABLE 0) and drops its privileges runs on, with children.
 */
#include "behave.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t handled;
static void handler(int signal) { handled++; }

static __attribute__((noinline)) long later(long n)
{
	return n < 2 ? n : later(n - 1) + later(n - 2);
}

int main(void)
{
	int status;

	if (geteuid() == 0)
		CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
	signal(SIGSEGV, handler);
	raise(SIGSEGV);
	printf("%ld %d\n", later(20), (int)handled);
	if (!fork())
		_exit(later(10));
	wait(&status);
	printf("child %d\n", WEXITSTATUS(status));
	return passed();
}
