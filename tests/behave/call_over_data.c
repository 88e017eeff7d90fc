/* Calls over data that are there for the address they push, with the pop in all its encodings, where the data read as code would swallow the pop; and calls
 * to what isn't an address at all: the handler finds the registers as they were before. */
#include "behave.h"
#include <signal.h>
#include <ucontext.h>

long over_data(void);
long far_call(long (*p)(void));
extern const char bad_call[], behind_call[];
__asm__(".text\n"
	"over_data: .cfi_startproc\n xor %eax, %eax\n"
	"call 1f\n .byte 0x0f, 0x8b\n 1: .byte 0x40, 0x5a\n movzbl (%rdx), %ecx\n add %ecx, %eax\n"
	"call 2f\n .byte 0x48, 0xb8, 3\n 2: pop %rdx\n movzbl 2(%rdx), %ecx\n add %ecx, %eax\n"
	"call 3f\n .byte 0xe9\n 3: pop %r9\n movzbl (%r9), %ecx\n add %ecx, %eax\n"
	"call 4f\n .byte 0x05, 9\n 4: .byte 0x8f, 0xc2\n movzbl 1(%rdx), %ecx\n add %ecx, %eax\n ret\n .cfi_endproc\n"
	"far_call: .cfi_startproc\n xor %eax, %eax\n test %rdi, %rdi\n jz behind_call\n bad_call: call *%rdi\n behind_call: ret\n .cfi_endproc\n");

static void handler(int signal, siginfo_t *info, void *p)
{
	greg_t *r = ((ucontext_t *)p)->uc_mcontext.gregs;

	printf("at the call: %d, top of stack in the text: %d\n", r[REG_RIP] == (greg_t)(uintptr_t)bad_call, *(char **)r[REG_RSP] < behind_call + (1 << 20));
	r[REG_RIP] = (greg_t)(uintptr_t)behind_call;
	r[REG_RAX] = 17;
}

int main(void)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &a, NULL);
	printf("%ld\n", over_data());
	CHECK(far_call((long (*)(void))0x8000000000001234) == 17);
	return passed();
}
