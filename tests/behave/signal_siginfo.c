/* SA_SIGINFO handlers get the sender, the value and, for faults, code and address. */
#include "behave.h"
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile siginfo_t last;
static char *volatile page;

static void handler(int signal, siginfo_t *info, void *context)
{
	last = *info;
	if (signal == SIGSEGV)
		mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

int main(void)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	sigaction(SIGUSR1, &a, NULL);
	sigaction(SIGRTMIN + 2, &a, NULL);
	sigaction(SIGSEGV, &a, NULL);
	kill(getpid(), SIGUSR1);
	CHECK(last.si_signo == SIGUSR1 && last.si_code == SI_USER && last.si_pid == getpid() && last.si_uid == getuid());
	raise(SIGUSR1);
	CHECK(last.si_code == SI_TKILL);
	sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ .sival_int = 1234 });
	CHECK(last.si_code == SI_QUEUE && last.si_value.sival_int == 1234);
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*(volatile char *)(page + 123) = 'x';
	CHECK(last.si_signo == SIGSEGV && last.si_code == SEGV_ACCERR && last.si_addr == page + 123 && page[123] == 'x');
	kill(getpid(), SIGSEGV);
	CHECK(last.si_code == SI_USER && last.si_pid == getpid());
	return passed();
}
