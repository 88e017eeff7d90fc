/* SA_RESETHAND: the handler runs once, then the default action ends the process.
 * run: 11 => SIGSEGV
 * run: 5 => SIGTRAP
 * run: 10 => SIGUSR1
 */
#include "behave.h"
#include <signal.h>
#include <sys/resource.h>

static volatile int handled;
static void handler(int signal) { handled++; }

int main(int argc, char **argv)
{
	struct sigaction a = { .sa_handler = handler, .sa_flags = SA_RESETHAND | SA_NODEFER }, now;
	struct rlimit no_core = { 0, 0 };
	int signal = atoi(argv[1]);

	setrlimit(RLIMIT_CORE, &no_core);
	sigaction(signal, &a, NULL);
	raise(signal);
	CHECK(handled == 1);
	CHECK(sigaction(signal, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
	passed();
	raise(signal);
	return 1;
}
