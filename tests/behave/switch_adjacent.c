/* A jump table that another follows at once, as compilers put them: whoever reads the first beyond its end gets the second's entries, counted from a wrong place,
 * which lead into the middle of instructions of the same procedure.
 * build: -O2
 * build: -O2 -no-pie
 * build: -O2 -static
 */
#include "behave.h"

/* The second switch is reached by the first one's last case only. Its cases are of different lengths, so that 100 bytes before a case there is anything. */
__asm__(".section .rodata\n"
	".balign 4\n"
	"first_table:\n"
	".set k, 0\n"
	".rept 24\n"
	"	.long .Lsame - first_table\n"
	".endr\n"
	"	.long .Lsecond - first_table\n"
	"second_table:\n"
	".altmacro\n"
	".macro entry n\n"
	"	.long .Lcase\\n - second_table\n"
	".endm\n"
	".rept 64\n"
	"	entry %k\n"
	"	.set k, k + 1\n"
	".endr\n"
	".text\n"
	".type switches, @function\n"
	"switches:\n"
	"	.cfi_startproc\n"
	"	push %rbx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	lea first_table(%rip), %rax\n"
	"	movslq (%rax,%rdi,4), %rdi\n"
	"	add %rax, %rdi\n"
	"	jmp *%rdi\n"
	".Lsame:\n"
	"	mov $-1, %eax\n"
	"	pop %rbx\n"
	"	ret\n"
	".Lsecond:\n"
	"	lea second_table(%rip), %rax\n"
	"	movslq (%rax,%rsi,4), %rsi\n"
	"	add %rax, %rsi\n"
	"	jmp *%rsi\n"
	".macro case n\n"
	".Lcase\\n:\n"
	"	cmpb $0, (%rdx)\n"
	"	js .Lsame\n"
	"	mov 0x20(%rdx), %r8\n"
	"	mov %r8, %rsi\n"
	"	.rept \\n % 7\n"
	"	xor %ecx, %ecx\n"
	"	.endr\n"
	"	.rept \\n % 5\n"
	"	lea 0x13(%rcx,%rsi), %r9\n"
	"	.endr\n"
	"	xor %ecx, %ecx\n"
	"	mov $\\n, %edi\n"
	"	call switches_step\n"
	"	mov 0x12345(%rax), %rbx\n"
	"	mov %ebx, %eax\n"
	"	pop %rbx\n"
	"	ret\n"
	".endm\n"
	".set k, 0\n"
	".rept 64\n"
	"	case %k\n"
	"	.set k, k + 1\n"
	".endr\n"
	"	.cfi_endproc\n"
	".size switches, . - switches\n"
	".noaltmacro\n");

int switches(uint64_t first, uint64_t second, const void *from);
static int numbers[64];

__attribute__((used)) char *switches_step(int n)
{
	numbers[n] = n * 3 + 1;
	return (char *)&numbers[n] - 0x12345;
}

int main(void)
{
	static const char from[64];
	unsigned sum = 0;
	for (int round = 0; round < 1000; round++)
		for (int n = 0; n < 64; n++) {
			int got = switches(24, n, from);
			CHECK(got == n * 3 + 1 && switches(n % 24, n, from) == -1);
			sum = sum * 31 + got;
		}
	printf("%u\n", sum);
	return passed();
}
