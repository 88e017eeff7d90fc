/* A program makes its own text writable and changes an instruction's constant, again and again.
 * build: -O2
 * build: -O2 -static
 */
#include "behave.h"
#include <sys/mman.h>

int patched(void);
__asm__(".text\n.globl patched\n.p2align 4\npatched: mov $1, %eax\nret\n");

int main(void)
{
	unsigned char *page = (unsigned char *)((uintptr_t)patched & ~4095ul);
	long sum = patched();

	for (int i = 2; i < 200; i++) {
		CHECK(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
		*(volatile unsigned char *)((uintptr_t)patched + 1) = i;
		CHECK(mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0);
		CHECK(patched() == i);
		sum += patched();
	}
	printf("%ld\n", sum);
	return passed();
}
