/* A restartable sequence (rseq): a signal in the middle of it makes it begin again, by its descriptor, as librseq and tcmalloc have them. */
#include "behave.h"
#include <signal.h>
#include <stddef.h>
#include <sys/rseq.h>
#include <sys/time.h>

static volatile int seen, inside;

static void set_alarm(void)
{
	struct itimerval soon = {.it_value.tv_usec = 20000};
	setitimer(ITIMER_REAL, &soon, NULL);
}

static void on_alarm(int signal)
{
	if (inside)
		seen = signal;
	else
		set_alarm();
}

/* Waits for the signal, then stores. 0: done, 1: aborted. */
__attribute__((noinline)) static int sequence(struct rseq *r, volatile int *to)
{
	__asm__ goto(
		".pushsection __rseq_cs, \"aw\"\n.balign 32\n3: .long 0, 0\n.quad 1f, (2f - 1f), 4f\n.popsection\n"
		".pushsection __rseq_failure, \"ax\"\n.byte 0x0f, 0xb9, 0x3d\n.long 0x53053053\n4: jmp %l[aborted]\n.popsection\n"
		"lea 3b(%%rip), %%rax\n"
		"mov %%rax, %c[cs](%[r])\n"
		"1: movl $1, %[inside]\n"
		"5: cmpl $0, %[seen]\n"
		"je 5b\n"
		"movl $1, (%[to])\n"
		"2:\n"
		: : [r] "r"(r), [cs] "i"(offsetof(struct rseq, rseq_cs)), [to] "r"(to), [seen] "m"(seen), [inside] "m"(inside)
		: "memory", "cc", "rax" : aborted);
	return 0;
aborted:
	inside = 0;
	return 1;
}

int main(void)
{
	struct rseq *r = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
	CHECK(__rseq_size > 0);
	signal(SIGALRM, on_alarm);
	for (int i = 0; i < 3; i++) {
		volatile int stored = 0;
		seen = inside = 0;
		set_alarm();
		int aborted;
		while ((aborted = sequence(r, &stored)) && !seen) /* losing the processor aborts, too */
			;
		printf("aborted %d, stored %d; ", aborted, stored);
		while (sequence(r, &stored))
			;
		printf("then stored %d\n", stored);
	}
	return passed();
}
