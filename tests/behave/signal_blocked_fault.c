/* A fault whose signal is blocked or ignored ends the process, whatever handler is set.
 * run: blocked => SIGSEGV
 * run: ignored => SIGSEGV
 * run: in-handler => SIGSEGV
 */
#include "behave.h"
#include <signal.h>
#include <sys/resource.h>

static void handler(int signal) { *(volatile int *)16 = 1; }

int main(int argc, char **argv)
{
	struct rlimit no_core = { 0, 0 };
	sigset_t set;

	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGSEGV, argv[1][1] == 'g' ? SIG_IGN : handler);
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	if (argv[1][0] == 'b')
		sigprocmask(SIG_BLOCK, &set, NULL);
	passed();
	*(volatile int *)8 = 1;
	return 1;
}
