/* Procedures of one instruction or a few bytes, one directly behind the other: nothing as long as a jump fits.
 * build: -O2
 * build: -O2 -static
 * build: -O2 -falign-functions=1 -Os
 */
#include "behave.h"

long nothing(void), zero(void), one(long), two(long), jumping(long), last(void);
__asm__(".text\n"
	".globl nothing\nnothing: ret\n"
	".globl zero\nzero: xor %eax, %eax\nret\n"
	".globl one\none: mov %rdi, %rax\nret\n"
	".globl two\ntwo: push %rdi\npop %rax\nret\n"
	".globl jumping\njumping: jmp one\n"
	".globl last\nlast: rep ret\n");

static __attribute__((noinline)) int constant(void) { return 7; }
static __attribute__((noinline)) void empty(void) { __asm__ volatile(""); }

int main(void)
{
	long (*volatile functions[])(long) = { one, two, jumping };
	long sum = 0;

	for (long i = 0; i < 3000; i++) {
		nothing();
		last();
		empty();
		sum += functions[i % 3](i) + zero() + constant() + one(1) + two(2) + jumping(3);
	}
	printf("%ld\n", sum);
	return passed();
}
