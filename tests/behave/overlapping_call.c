/* A jump table with other data right behind it, which read as one more entry leads into the middle of a call. The bytes there make another call, which
 * reaches into the instructions behind the real one. Compilers put tables of constants behind each other; the table's end is nowhere written.
 * build: -O2
 * build: -O2 -no-pie -fno-pie
 * build: -O2 -static
 */
#include "behave.h"

long select_case(long which, long value);
__asm__(".text\n.p2align 4\n"
	"before:\n.cfi_startproc\nlea 1000(%rdi), %rax\nret\n.cfi_endproc\n"
	".globl select_case\n.type select_case, @function\n"
	"select_case:\n.cfi_startproc\n"
	"cmp $3, %rdi\nja 9f\n"
	"lea table(%rip), %rcx\n"
	"movslq (%rcx, %rdi, 4), %rax\n"
	"add %rcx, %rax\n"
	"mov %rsi, %rdi\n"
	"jmp *%rax\n"
	"1: lea 1(%rdi), %rax\nret\n"
	/* The call's last byte is ff: with the four behind it, `call *0x48e7894c(%rax)` or the like. */
	"2: push %r12\n"
	"lea 5(%rdi), %r12\n"
	"middle: call before\n"
	"nop\n"
	"lea 0x18(%r12), %rdi\n"
	"add %rdi, %rax\n"
	"pop %r12\nret\n"
	"3: lea 3(%rdi), %rax\nret\n"
	"4: lea 4(%rdi), %rax\nret\n"
	"9: mov $-1, %rax\nret\n"
	".cfi_endproc\n.size select_case, . - select_case\n"
	".section .rodata\n.p2align 2\n"
	"table: .long 1b - table, 2b - table, 3b - table, 4b - table\n"
	".long middle + 4 - table, middle + 3 - table, middle + 2 - table, middle + 6 - table, 2b + 1 - table\n"
	".text\n");

int main(void)
{
	long sum = 0;
	for (long i = 0; i < 4000; i++) {
		long got = select_case(i % 5, i), want = (long[]){i + 1, i + 1000 + i + 5 + 0x18, i + 3, i + 4, -1}[i % 5];
		CHECK(got == want);
		sum += got;
	}
	printf("%ld\n", sum);
	return passed();
}
