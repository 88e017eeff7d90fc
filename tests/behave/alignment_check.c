/* A program that has the processor check the alignment of its accesses: handlers and probes work as ever, and the flag stays set.
 * build: -O2
 */
#include "behave.h"
#include <signal.h>
#include <ucontext.h>

static int faults, others;

static void on_bus(int signal, siginfo_t *info, void *context)
{
	ucontext_t *c = context;
	faults++;
	CHECK(c->uc_mcontext.gregs[REG_TRAPNO] == 17);
	c->uc_mcontext.gregs[REG_EFL] &= ~0x40000l;
}

static void on_user(int signal)
{
	others++;
}

#define CHECKED(body) __asm__ volatile("sub $128, %%rsp\npushfq\norl $0x40000, (%%rsp)\npopfq\nadd $128, %%rsp\n" body \
				       "\nsub $128, %%rsp\npushfq\nbtrq $18, (%%rsp)\npopfq\nadd $128, %%rsp" : "+a"(a), "+d"(d), "+D"(p) : : "rcx", "rsi", "r11", "memory", "cc")

int main(void)
{
	static char data[16] __attribute__((aligned(16)));
	struct sigaction action = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO | SA_NODEFER};
	char *p = data;
	long a, d = 0;
	sigaction(SIGBUS, &action, NULL);
	signal(SIGUSR1, on_user);
	signal(SIGTRAP, on_user);
	CHECKED("movl (%%rdi), %%ecx");
	p = data + 1;
	CHECKED("movl (%%rdi), %%ecx");
	CHECKED("int3");
	a = 39; /* getpid */
	CHECKED("syscall\nmov %%rax, %%rdi\nmov $62, %%eax\nmov $10, %%esi\nsyscall");
	printf("%d faults, %d other signals\n", faults, others);
	return passed();
}
