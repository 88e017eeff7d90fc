/* Numbers that look like addresses in the middle of instructions: in the procedure linkage table, and in code that only a computed address leads to. A
 * program at a fixed address has many small numbers that might be pointers; what they seem to point to must not be taken for an instruction.
 * build: -O2 -no-pie -fno-pie
 * build: -O2 -no-pie -fno-pie -Wl,-z,now
 */
#include "behave.h"
#include <unistd.h>

long hidden(long);
__asm__(".text\n.p2align 4\n.globl hidden\n.type hidden, @function\n"
	"hidden:\n.cfi_startproc\n"
	"lea 1f(%rip), %rax\n"
	"sub $77, %rax\n"
	"add $77, %rax\n"
	"jmp *%rax\n"
	".skip 8, 0xcc\n"
	"1: lea 1000(%rdi), %rax\n"
	"middle: movabs $0x0123456789abcdef, %rcx\n"
	"add %rcx, %rax\n"
	"mov $0x11223344, %ecx\n"
	"add %rcx, %rax\n"
	"ret\n"
	".cfi_endproc\n.size hidden, . - hidden\n");
extern const char middle[];

/* Each by itself: what points into a procedure in rows may well be a table of labels. */
const struct { uint64_t before; const void *constant; uint64_t behind; } constants[] __attribute__((used)) = {
	{1, (const char *)getppid + 2, 1}, {1, (const char *)getppid + 4, 1}, {1, (const char *)getppid + 8, 1}, {1, (const char *)getppid + 3, 1},
	{1, middle + 2, 1}, {1, middle + 5, 1}, {1, middle + 14, 1},
};

int main(void)
{
	const void *volatile seen = NULL;
	long parent = getppid();
	for (unsigned i = 0; i < sizeof constants / sizeof *constants; i++)
		seen = constants[i].constant;
	for (long i = 0; i < 1000; i++) {
		CHECK(getppid() == parent);
		CHECK(hidden(i) == i + 1000 + 0x0123456789abcdef + 0x11223344);
	}
	CHECK(seen);
	return passed();
}
