/* A handler changes every register there is, in its context: general ones, flags, vectors, x87 state, and where to go on. The code goes on with those.
 * build: -O2
 * build: -O2 -static
 */
#include "behave.h"
#include <signal.h>
#include <ucontext.h>

extern const char at_fault[], behind_fault[];
extern uint64_t out[17];
extern unsigned char vector[16 * 16];
uint64_t out[17];
unsigned char vector[16 * 16];

/* Faults with everything 0x11.., and writes down what it finds behind. rsp is checked by coming back. */
void faulting(uint64_t *saved_sp);
__asm__(".text\n.globl faulting\n.type faulting, @function\nfaulting:\n.cfi_startproc\n"
	"push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\nmov %rsp, (%rdi)\n"
	"mov $0x11, %eax\nmov %eax, %ebx\nmov %eax, %ecx\nmov %eax, %edx\nmov %eax, %esi\nmov %eax, %edi\nmov %eax, %ebp\nmov %eax, %r8d\nmov %eax, %r9d\n"
	"mov %eax, %r10d\nmov %eax, %r11d\nmov %eax, %r12d\nmov %eax, %r13d\nmov %eax, %r14d\nmov %eax, %r15d\n"
	"pxor %xmm0, %xmm0\npxor %xmm7, %xmm7\npxor %xmm15, %xmm15\nfldz\ntest %eax, %eax\n"
	"at_fault: ud2\nud2\nud2\n"
	"behind_fault: mov %rax, out(%rip)\npushfq\npop out+128(%rip)\n"
	"mov %rcx, out+8(%rip)\nmov %rdx, out+16(%rip)\nmov %rbx, out+24(%rip)\nmov %rsp, out+32(%rip)\nmov %rbp, out+40(%rip)\n"
	"mov %rsi, out+48(%rip)\nmov %rdi, out+56(%rip)\nmov %r8, out+64(%rip)\nmov %r9, out+72(%rip)\nmov %r10, out+80(%rip)\nmov %r11, out+88(%rip)\n"
	"mov %r12, out+96(%rip)\nmov %r13, out+104(%rip)\nmov %r14, out+112(%rip)\nmov %r15, out+120(%rip)\n"
	"movdqu %xmm0, vector(%rip)\nmovdqu %xmm7, vector+16(%rip)\nmovdqu %xmm15, vector+32(%rip)\nfstpt vector+48(%rip)\n"
	"pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n.cfi_endproc\n.size faulting, . - faulting\n");

static const int order[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI, REG_R8, REG_R9, REG_R10, REG_R11, REG_R12,
			       REG_R13, REG_R14, REG_R15 };
enum { REG_RSP_NUMBER = 4 };
static uint64_t saved_sp;
static int round_number;

static void handler(int signal, siginfo_t *info, void *p)
{
	ucontext_t *u = p;
	greg_t *r = u->uc_mcontext.gregs;

	CHECK(r[REG_RIP] == (greg_t)at_fault && r[REG_RSP] == (greg_t)saved_sp && info->si_addr == at_fault);
	for (int i = 0; i < 16; i++) {
		if (i == REG_RSP_NUMBER)
			continue;
		CHECK(r[order[i]] == 0x11);
		r[order[i]] = 0x0123456789abcd00 + 16 * round_number + i;
	}
	r[REG_EFL] ^= 0x8d5; /* carry, parity, auxiliary, zero, sign, overflow */
	for (int i = 0; i < 16; i += i ? 7 + (i == 7) : 7)
		memset(&u->uc_mcontext.fpregs->_xmm[i], round_number + i, 16);
	u->uc_mcontext.fpregs->_st[0].significand[3] = 0x8000;
	u->uc_mcontext.fpregs->_st[0].exponent = 0x3fff + round_number; /* 2 to that power */
	r[REG_RIP] = (greg_t)behind_fault;
}

int main(void)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	sigaction(SIGILL, &a, NULL);
	for (round_number = 0; round_number < 10; round_number++) {
		long double power;
		faulting(&saved_sp);
		for (int i = 0; i < 16; i++)
			CHECK(out[i] == (i == REG_RSP_NUMBER ? saved_sp : 0x0123456789abcd00ul + 16 * round_number + i));
		for (int i = 0; i < 16; i++)
			CHECK(vector[i] == round_number && vector[16 + i] == round_number + 7 && vector[32 + i] == round_number + 15);
		memcpy(&power, vector + 48, 10);
		printf("%Lg flags %#lx\n", power, (long)(out[16] & 0x8d5));
	}
	return passed();
}
