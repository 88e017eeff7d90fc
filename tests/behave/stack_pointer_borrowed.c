/* Hand-written code that has run out of registers puts the stack pointer to other uses for a while, branches and all; and code that runs right above the
 * end of its stack. Nothing that stands between instructions may rely on a stack there. */
#include "behave.h"
#include <sys/mman.h>

unsigned long borrow(unsigned long n);
unsigned long on_stack(void *sp, unsigned long n);
__asm__(".text\n"
	"borrow: .cfi_startproc\n mov %rsp, %rcx\n xor %eax, %eax\n movabs $0x8000000000000000, %rsp\n"
	"1: add %rdi, %rax\n lea 3(%rsp), %rsp\n test $1, %dil\n jz 2f\n xor %rsp, %rax\n 2: dec %rdi\n jnz 1b\n"
	"add %rsp, %rax\n mov %rcx, %rsp\n ret\n .cfi_endproc\n"
	"on_stack: .cfi_startproc\n mov %rsp, %rcx\n mov %rdi, %rsp\n xor %eax, %eax\n"
	"1: lea 7(%rax,%rsi), %rax\n rol $5, %rax\n test $2, %sil\n jz 2f\n inc %rax\n 2: dec %rsi\n jnz 1b\n mov %rcx, %rsp\n ret\n .cfi_endproc\n");

int main(void)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(pages, 4096, PROT_NONE);
	printf("%lx\n", borrow(1000));
	for (int room = 0; room < 2048; room += 24)
		CHECK(on_stack(pages + 4096 + room, 10) == on_stack(pages + 8192, 10));
	return passed();
}
