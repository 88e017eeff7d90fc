/* Of two signals of a kind that are sent while they are blocked, the first is the one that is pending, with what it carries, whoever comes or goes meanwhile.
 * also: detach attach
 */
#include "behave.h"
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 300 };

int main(void)
{
	static const int signals[] = { SIGSEGV, SIGUSR1, SIGTRAP, SIGFPE };
	struct timespec now = { 0, 0 };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	for (int i = 0; i < 4; i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		int signal = signals[i % 4];
		CHECK(sigqueue(getpid(), signal, (union sigval){ .sival_int = i }) == 0 && kill(getpid(), signal) == 0);
		CHECK(sigtimedwait(&set, &info, &now) == signal && info.si_code == SI_QUEUE && info.si_value.sival_int == i);
		CHECK(sigtimedwait(&set, &info, &now) == -1 && errno == EAGAIN);
	}
	return passed();
}
