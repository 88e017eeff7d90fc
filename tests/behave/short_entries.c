/* Procedures whose entry has no room for a jump: a call comes too early, or another way in. With something woven at the entry (the shadow monitor) they need
 * a jump nearby, in dead bytes or in the padding behind; traps would take minutes here. And control that comes into that padding falls through it.
 * build: -O2
 * build: -O2 -static
 * time: 20
 * modes: -firewall -strict -traps
 */
#include "behave.h"

#define START(name) ".p2align 4\n.globl " name "\n.type " name ", @function\n" name ":\n.cfi_startproc\n"
#define END(name) ".cfi_endproc\n.size " name ", . - " name "\n"
#define FILLER ".byte 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0, 0x66, 0x0f, 0x1f, 0x44, 0, 0\n" /* nops of 11 and 6 bytes */

long called(long), calls(long), calls_twice(long), behind(long), two_ways(long), second_way(long), into_padding(long);
__asm__(".text\n"
	/* no procedure's start, as far as call frame information tells: who goes there in the end has to be watched */
	"linkage: jmp called\n"
	START("called") "lea 1(%rdi), %rax\nret\n" END("called")
	/* four bytes, then a call; no run of five dead bytes but where springboards are */
	START("calls") "push %rbx\nmov %rdi, %rbx\ncall called\ncmp $3, %eax\nje 1f\npop %rbx\nret\n"
		"1: mov %rbx, %rdi\nxor %esi, %esi\ncall called\nmov %rbx, %rdi\npop %rbx\njmp linkage\n" END("calls")
	"calls_end: " FILLER
	START("behind") "lea 2(%rdi), %rax\nret\n" END("behind")
	FILLER
	START("calls_twice") "push %rdi\ncall called\npop %rdi\ncall called\nret\n" END("calls_twice")
	FILLER
	/* the second way in is three bytes behind the first */
	START("two_ways") "mov %rdi, %rax\nsecond_way: cmp $32, %rdi\njb 1f\nsub $32, %rax\nsub $32, %rdi\nshl $1, %rax\nadd %rdi, %rax\n1: jmp linkage\n" END("two_ways")
	START("into_padding") "lea calls_end(%rip), %rax\njmp *%rax\n" END("into_padding"));

int main(void)
{
	enum { TIMES = 20 * 1000 * 1000 };
	long (*volatile second)(long) = second_way, (*volatile padding)(long) = into_padding;
	long sum = 0;
	for (long i = 0; i < TIMES; i++)
		sum += calls(i & 7) + calls_twice(i & 7) + two_ways(i & 63);
	for (long i = 0; i < TIMES; i++)
		sum += second(i & 31) & 1;
	for (long i = 0; i < 1000; i++)
		sum += padding(i);
	printf("%ld\n", sum);
	return passed();
}
