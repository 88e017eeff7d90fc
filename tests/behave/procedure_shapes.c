/* Procedures as hand-written assembly and optimised libraries have them: that jump into each other's middle, share their ends, overlap, end with a call that
 * doesn't return, lie one byte beside another, or have two entries, with and without endbr64.
 * build: -O2
 * build: -O2 -DWITH_CFI
 * build: -O2 -static -DWITH_CFI
 * build: -O2 -no-pie -fno-pie
 * also: flip
 */
#include "behave.h"
#include <setjmp.h>

#ifdef WITH_CFI
#define PROCEDURE(name) ".globl " #name "\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n"
#define END(name) ".cfi_endproc\n.size " #name ", . - " #name "\n"
#else
#define PROCEDURE(name) ".globl " #name "\n" #name ":\n"
#define END(name) ""
#endif

typedef long procedure(long, long);
procedure middle_of_other, other, shared_end_1, shared_end_2, overlapped, past_prefix, fall_1, fall_2, marked, marked_inside, unmarked, skip_immediate,
	  tail_1, tail_2, backwards, far_part, add_1, add_2, add_3, add_4;
void ends_with_call(long), behind_call(void), one_byte_1(void), one_byte_2(void), one_byte_3(void), two_bytes(void);
__attribute__((noreturn)) void leave(long n);

__asm__(".text\n"
	/* Into the middle of another procedure, behind its prologue. */
	PROCEDURE(middle_of_other) "push %rbx\nmov $1000, %ebx\njmp in_other\n" END(middle_of_other)
	PROCEDURE(other) "push %rbx\nmov $7, %ebx\nin_other: lea (%rdi,%rsi), %rax\nadd %rbx, %rax\npop %rbx\nret\n" END(other)
	PROCEDURE(shared_end_1) "lea 1(%rdi), %rax\njmp shared_end\n" END(shared_end_1)
	PROCEDURE(shared_end_2) "lea 2(%rdi), %rax\nshared_end: imul %rsi, %rax\nret\n" END(shared_end_2)
	/* The immediate of the mov is code: eb 02 = jump over, from its third byte on. */
	PROCEDURE(overlapped) "xor %eax, %eax\ntest $1, %dil\njne overlapped_inside\n"
	".byte 0xb8\noverlapped_inside: .byte 0x83, 0xc0, 0x05, 0x90\n"     /* mov $0x9005c083, %eax | add $5, %eax; nop */
	"add %rsi, %rax\nret\n" END(overlapped)
	/* As glibc does around lock: jump behind a prefix. */
	PROCEDURE(past_prefix) "mov cell(%rip), %rdx\nmov %rdi, (%rdx)\ntest $1, %sil\nje 1f\n.byte 0xf0\n1: addq $3, (%rdx)\nmov (%rdx), %rax\nret\n" END(past_prefix)
	/* Falls through into the next one. */
	PROCEDURE(fall_1) "add $10, %rdi\n" END(fall_1)
	PROCEDURE(fall_2) "lea (%rdi,%rsi,4), %rax\nret\n" END(fall_2)
	PROCEDURE(marked) "endbr64\nlea 3(%rdi), %rax\nret\n" END(marked)
	/* An endbr64 in the middle: a second entry. */
	PROCEDURE(marked_inside) "endbr64\nadd $100, %rdi\n.globl marked_second\nmarked_second: endbr64\nlea 5(%rdi), %rax\nret\n" END(marked_inside)
	PROCEDURE(unmarked) "lea 4(%rdi), %rax\nret\n" END(unmarked)
	/* A "cmp $imm, %eax" that swallows an instruction, as old compilers made it. */
	PROCEDURE(skip_immediate) "mov %rdi, %rax\ntest %esi, %esi\njs 2f\n.byte 0x3d\n2: .byte 0x48, 0xff, 0xc0, 0x90\nret\n" END(skip_immediate)
	PROCEDURE(tail_1) "dec %rsi\njs 3f\njmp tail_2\n3: mov %rdi, %rax\nret\n" END(tail_1)
	PROCEDURE(tail_2) "add $2, %rdi\ndec %rsi\njns tail_1\nmov %rdi, %rax\nret\n" END(tail_2)
	PROCEDURE(backwards) "jmp 5f\n4: mov %rdi, %rax\nret\n5: sub %rsi, %rdi\njmp 4b\n" END(backwards)
	/* Its cold part lies elsewhere. */
	PROCEDURE(far_part) "test $3, %dil\nje far_cold\nlea 6(%rdi), %rax\nfar_back: add %rsi, %rax\nret\n" END(far_part)
	/* The same bytes entered at four places. */
	".globl add_1, add_2, add_3, add_4\n" PROCEDURE(add_4) "inc %rdi\nadd_3: inc %rdi\nadd_2: inc %rdi\nadd_1: inc %rdi\nlea (%rdi,%rsi), %rax\nret\n" END(add_4)
	/* The return address of the call is the next procedure's first byte. */
	PROCEDURE(ends_with_call) "push %rdi\npop %rdi\ncall leave\n" END(ends_with_call)
	PROCEDURE(behind_call) "ret\n" END(behind_call)
	PROCEDURE(one_byte_1) "ret\n" END(one_byte_1)
	PROCEDURE(one_byte_2) "ret\n" END(one_byte_2)
	PROCEDURE(one_byte_3) "ret\n" END(one_byte_3)
	PROCEDURE(two_bytes) "rep ret\n" END(two_bytes)
	".section .text.far, \"ax\", @progbits\nfar_cold: lea 60(%rdi), %rax\njmp far_back\n.text\n");

procedure marked_second;
long *cell;
static jmp_buf back;
static long left;

void leave(long n)
{
	left += n;
	longjmp(back, 1);
}

static const struct { const char *name; procedure *enter; } all[] = {
	{ "middle of another", middle_of_other }, { "other", other }, { "shared end 1", shared_end_1 }, { "shared end 2", shared_end_2 },
	{ "overlapped", overlapped }, { "past a prefix", past_prefix }, { "fall through", fall_1 }, { "fallen into", fall_2 }, { "marked", marked },
	{ "marked inside", marked_inside }, { "second mark", marked_second }, { "unmarked", unmarked }, { "skip immediate", skip_immediate },
	{ "tail 1", tail_1 }, { "tail 2", tail_2 }, { "backwards", backwards }, { "far part", far_part }, { "add 1", add_1 }, { "add 2", add_2 },
	{ "add 3", add_3 }, { "add 4", add_4 },
};
static void (*const small[])(void) = { behind_call, one_byte_1, one_byte_2, one_byte_3, two_bytes };

int main(void)
{
	static long memory;

	cell = &memory;
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		unsigned long sum = 0;
		for (long n = 0; n < 2000; n++)
			sum = sum * 31 + (unsigned long)all[i].enter(n, n % 7 - 2 * (n % 2));
		printf("%s: %lu\n", all[i].name, sum);
	}
	for (volatile int n = 0; n < 1000; n++) {
		if (!setjmp(back))
			ends_with_call(n);
		small[n % 5]();
	}
	printf("left %ld\n", left);
	return passed();
}
