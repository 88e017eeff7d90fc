/* Direct branches with an operand-size prefix: on AMD's processors they go to the first 64 KB, on Intel's the prefix counts for nothing. */
#include "behave.h"
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

long narrow(long way, long x);
__asm__(".text\n"
	"narrow: .cfi_startproc\n xor %eax, %eax\n cmp $1, %rdi\n je 1f\n cmp $2, %rdi\n je 2f\n"
	"test %rsi, %rsi\n .byte 0x66, 0x74, 2\n add $5, %eax\n nop\n add $7, %eax\n ret\n"
	"1: test %rsi, %rsi\n .byte 0x66, 0x0f, 0x84, 2, 0\n .byte 0xb0, 0x21\n .byte 0x90, 0xb0, 0x42\n ret\n"
	"2: .byte 0x66, 0xeb, 2\n mov $3, %al\n mov $4, %ah\n ret\n .cfi_endproc\n");

static sigjmp_buf back;
static volatile int low;

static void handler(int signal, siginfo_t *info, void *p)
{
	low = ((ucontext_t *)p)->uc_mcontext.gregs[REG_RIP] < 65536;
	siglongjmp(back, 1);
}

int main(void)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &a, NULL);
	sigaction(SIGILL, &a, NULL);
	for (volatile long way = 0; way < 3; way++)
		for (volatile long x = 0; x < 2; x++)
			if (sigsetjmp(back, 1))
				printf("%ld %ld: fault, low %d\n", way, x, low);
			else
				printf("%ld %ld: %ld\n", way, x, narrow(way, x));
	return passed();
}
