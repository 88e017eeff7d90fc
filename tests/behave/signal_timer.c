/* A 1 kHz timer interrupts a computation wherever it stands: the result is right, and the handler sees the program's own addresses. */
#include "behave.h"
#include <signal.h>
#include <sys/time.h>
#include <ucontext.h>

static volatile long handled, elsewhere;
static uintptr_t low, high;

static __attribute__((noinline)) unsigned long compute(unsigned long n)
{
	unsigned long a = 1;

	for (unsigned long i = 0; i < n; i++) {
		a = a * 6364136223846793005ul + 1442695040888963407ul;
		switch (a >> 61) {
		case 0: a += 3; break; case 1: a ^= 0x55; break; case 2: a -= i; break; case 3: a = ~a; break;
		case 4: a += a >> 7; break; case 5: a *= 5; break; case 6: a ^= i; break; default: a++;
		}
	}
	return a;
}

static void handler(int signal, siginfo_t *info, void *p)
{
	uintptr_t rip = ((ucontext_t *)p)->uc_mcontext.gregs[REG_RIP];

	handled++;
	if (rip < low || rip >= high)
		elsewhere++;
}

extern char __executable_start[], etext[];

int main(void)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct itimerval timer = { { 0, 1000 }, { 0, 1000 } }, off = { { 0, 0 }, { 0, 0 } };
	unsigned long first = compute(1000000);

	low = (uintptr_t)__executable_start;
	high = (uintptr_t)etext;
	sigaction(SIGPROF, &a, NULL);
	setitimer(ITIMER_PROF, &timer, NULL);
	for (int i = 0; i < 40 || handled < 50; i++)
		CHECK(compute(1000000) == first);
	setitimer(ITIMER_PROF, &off, NULL);
	printf("%lu\n", first);
	CHECK(elsewhere <= handled / 10);
	return passed();
}
