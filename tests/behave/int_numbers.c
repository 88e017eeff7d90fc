/* `int $3` and `int $4`, also behind prefixes: their traps come behind them, where the next instruction is, and look like those of an int3 and of a fault.
 * build: -O2
 * build: -O2 -no-pie -fno-pie
 */
#include "behave.h"
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

typedef void tested(void);
tested int_3, int_3_prefixed, int_4, int_4_prefixed, int_3_alone;
__asm__(".text\n"
#define P(name) ".globl " #name "\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n"
#define E(name) "jmp *target(%rip)\n.cfi_endproc\n.size " #name ", . - " #name "\n"
	P(int_3) ".byte 0xcd, 3\n" E(int_3)
	P(int_3_prefixed) ".byte 0x66, 0x48, 0xcd, 3\n" E(int_3_prefixed)
	P(int_4) ".byte 0xcd, 4\n" E(int_4)
	P(int_4_prefixed) ".byte 0x3e, 0xcd, 4\n" E(int_4_prefixed)
	P(int_3_alone) ".byte 0xcd, 3\nret\n.cfi_endproc\n.size int_3_alone, . - int_3_alone\n");

static void nothing(void)
{
}

void (*target)(void) __attribute__((visibility("hidden"))) = nothing;
static tested *volatile current;
static sigjmp_buf back;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	const ucontext_t *c = context;
	printf("signal %d, code %d, %ld bytes in\n", signal, info->si_code, (long)(c->uc_mcontext.gregs[REG_RIP] - (uintptr_t)current));
	if (signal == SIGSEGV)
		siglongjmp(back, 1);
}

int main(void)
{
	static tested *const all[] = {int_3, int_3_prefixed, int_4, int_4_prefixed, int_3_alone};
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
	sigaction(SIGTRAP, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
			current = all[i];
			if (!sigsetjmp(back, 1))
				current();
		}
	return passed();
}
