/* Handlers look at the interrupted context and edit it: the address is the program's own, registers are exact, and going on elsewhere works.
 * build: -O2
 * build: -O2 -no-pie -fno-pie
 * build: -O2 -static
 */
#include "behave.h"
#include <signal.h>
#include <ucontext.h>

/* Each faulting instruction stands between two labels; rbx holds a known value at it. The handler goes on at the second label. */
extern const char segv_at[], segv_next[], trap_next[], fpe_at[], fpe_next[], ill_at[], ill_next[];
long faulting(long kind);
__asm__(
	".text\n.globl faulting\n.type faulting, @function\nfaulting:\n.cfi_startproc\n"
	"push %rbx\n.cfi_adjust_cfa_offset 8\n"
	"mov $0x1234567, %ebx\nmov $100, %eax\nxor %ecx, %ecx\n"
	"cmp $1, %edi\nje 1f\ncmp $2, %edi\nje 2f\ncmp $3, %edi\nje 3f\n"
	"segv_at: mov (%rcx), %rdx\nsegv_next: add $1, %eax\njmp 4f\n"
	"1: int3\ntrap_next: add $2, %eax\njmp 4f\n"
	"2: cltd\nfpe_at: idiv %ecx\nfpe_next: add $3, %eax\njmp 4f\n"
	"3:\nill_at: ud2\nill_next: add $4, %eax\n"
	"4: add %rdx, %rax\npop %rbx\n.cfi_adjust_cfa_offset -8\nret\n"
	".cfi_endproc\n.size faulting, . - faulting\n");

static const struct { int signal; const char *at, *next; } expected[] = {
	{ SIGSEGV, segv_at, segv_next }, { SIGTRAP, trap_next, trap_next }, { SIGFPE, fpe_at, fpe_next }, { SIGILL, ill_at, ill_next },
};

static void handler(int signal, siginfo_t *info, void *p)
{
	greg_t *r = ((ucontext_t *)p)->uc_mcontext.gregs;

	for (int i = 0; i < 4; i++)
		if (expected[i].signal == signal) {
			CHECK((const char *)r[REG_RIP] == expected[i].at);
			CHECK(r[REG_RBX] == 0x1234567 && r[REG_RAX] == 100 && r[REG_RCX] == 0);
			r[REG_RIP] = (greg_t)expected[i].next;
			r[REG_RDX] = 1000 * (i + 1);
		}
}

int main(void)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	long sum = 0;

	for (int i = 0; i < 4; i++)
		sigaction(expected[i].signal, &a, NULL);
	for (int i = 0; i < 100; i++)
		for (int kind = 0; kind < 4; kind++) {
			long result = faulting(kind);
			CHECK(result == 100 + kind + 1 + 1000 * (kind + 1));
			sum += result;
		}
	printf("%ld\n", sum);
	return passed();
}
