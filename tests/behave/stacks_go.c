/* Go's procedures know how deep they and what they call go, and stacks are no larger: nothing may be written below the stack pointer of one that didn't ask for room. Known as Go's by
 * the table that the Go runtime finds procedures with.
 * build: -O2 -no-pie
 * build: -O2 -no-pie -static
 * also: probed learn flip
 */
#include "behave.h"

enum { BELOW = 4096, ROUNDS = 3000 };

/* on_stack(n, top): leaf(n) on that stack, which has room for nothing but the return address. Branches with dead and with living flags, a loop, a switch. */
long on_stack(long n, void *top);
__asm__(".text\n.p2align 4\ngo_text:\n.globl on_stack\n.type on_stack, @function\non_stack:\n"
	"push %rbp\nmov %rsp, %rbp\nmov %rsi, %rsp\ncall leaf\nmov %rbp, %rsp\npop %rbp\nret\n"
	"on_stack_end:\n.p2align 4\nleaf:\nmov $12, %ecx\nxor %eax, %eax\n"
	"1: lea (%rax,%rdi), %rax\nimul $0x3935, %rax, %rax\ntest $4, %al\nje 2f\nnot %rax\n"
	"2: bt $9, %rax\n jmp 3f\n nop\n"
	"3: adc $5, %rax\ncmp $77, %al\njb 4f\nja 5f\nadd $3, %rax\njmp 6f\n4: rol $7, %rax\njmp 6f\n5: ror $3, %rax\n"
	"6: dec %ecx\njne 1b\nmov %eax, %ecx\nand $1, %ecx\nlea 7f(%rip), %rdx\nlea (%rdx,%rcx,4), %rdx\njmp *%rdx\n"
	"7: inc %rax\nret\n8: dec %rax\nret\nleaf_end:\n"
	".section .gopclntab, \"a\"\n.p2align 5\n.byte 0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8\n.quad 2, 0, go_text, 0, 0, 0, 0, 72\n"
	".long on_stack - go_text, 0, leaf - go_text, 0, leaf_end - go_text\n.text\n");

static unsigned char stack[BELOW + 16] __attribute__((aligned(64)));

int main(void)
{
	unsigned long sum = 0;

	memset(stack, 0xa5, sizeof stack);
	for (long i = 0; i < ROUNDS; i++)
		sum = sum * 31 + on_stack(i, stack + BELOW + 8);
	for (int i = 0; i < BELOW; i++)
		CHECK(stack[i] == 0xa5);
	printf("%lx\n", sum);
	return passed();
}
