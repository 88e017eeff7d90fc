/* A program that sets its signal actions itself, by system calls whose number stays in a register around the loop (as compilers keep it): its handler sees
 * the program's own address, and the program goes on. */
#include "behave.h"
#include <signal.h>
#include <ucontext.h>

struct action { void *handler; unsigned long flags; void *restorer; unsigned long mask; };

extern const char fault_start[], fault_end[];
void set_actions(const struct action *a, const int *signals, long count);
void fault(void);
void restore(void);
__asm__(".text\n"
	"set_actions: .cfi_startproc\n push %rbx\n push %rbp\n push %r12\n mov %rdi, %r8\n mov %rsi, %rbp\n mov %rdx, %r12\n mov $13, %ebx\n"
	"1: mov (%rbp), %edi\n mov %r8, %rsi\n xor %edx, %edx\n mov $8, %r10d\n mov %ebx, %eax\n syscall\n add $4, %rbp\n dec %r12\n jnz 1b\n"
	"pop %r12\n pop %rbp\n pop %rbx\n ret\n .cfi_endproc\n"
	"restore: .cfi_startproc\n mov $15, %eax\n syscall\n .cfi_endproc\n"
	"fault: .cfi_startproc\n fault_start: xor %eax, %eax\n mov %eax, (%rax)\n ud2\n fault_end: ret\n .cfi_endproc\n");

static int seen;

static void handler(int signal, siginfo_t *info, void *p)
{
	greg_t *rip = &((ucontext_t *)p)->uc_mcontext.gregs[REG_RIP];

	seen = 2 * seen + (*rip >= (greg_t)(uintptr_t)fault_start && *rip < (greg_t)(uintptr_t)fault_end) + (signal == SIGILL);
	*rip += 2;
}

int main(void)
{
	static const int signals[] = { SIGSEGV, SIGILL, SIGTRAP };
	struct action a = { handler, SA_SIGINFO | 0x04000000 /* SA_RESTORER */, restore, 0 };

	set_actions(&a, signals, 3);
	fault();
	CHECK(seen == 4);
	return passed();
}
