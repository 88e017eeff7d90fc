/* Death by each signal whose default action is to end the process.
 * run: 1 => SIGHUP
 * run: 2 => SIGINT
 * run: 3 => SIGQUIT
 * run: 4 => SIGILL
 * run: 5 => SIGTRAP
 * run: 6 => SIGABRT
 * run: 7 => SIGBUS
 * run: 8 => SIGFPE
 * run: 9 => SIGKILL
 * run: 10 => SIGUSR1
 * run: 11 => SIGSEGV
 * run: 12 => SIGUSR2
 * run: 13 => SIGPIPE
 * run: 14 => SIGALRM
 * run: 15 => SIGTERM
 * run: 16 => SIGSTKFLT
 * run: 24 => SIGXCPU
 * run: 25 => SIGXFSZ
 * run: 26 => SIGVTALRM
 * run: 27 => SIGPROF
 * run: 29 => SIGIO
 * run: 30 => SIGPWR
 * run: 31 => SIGSYS
 * run: 34 => SIGRTMIN
 * run: 40 => SIGRTMIN6
 */
#include "behave.h"
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	passed();
	kill(getpid(), atoi(argv[1]));
	pause();
	return 1;
}
