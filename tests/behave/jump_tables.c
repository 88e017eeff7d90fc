/* Jump tables in every form that assembly and compilers have: absolute and relative with 8, 16 and 32 bits, in text, behind the very jump, of two
 * levels, in writable data, and dispatch by a pushed return address or by arithmetic.
 * build: -O2 -no-pie -fno-pie
 * build: -O2 -DWITH_CFI -no-pie -fno-pie
 * build: -O2 -static -DWITH_CFI
 */
#include "behave.h"

#ifdef WITH_CFI
#define PROCEDURE(name) ".globl " #name "\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n"
#define END(name) ".cfi_endproc\n.size " #name ", . - " #name "\n"
#else
#define PROCEDURE(name) ".globl " #name "\n" #name ":\n"
#define END(name) ""
#endif

/* long procedure(index, value): eight cases, of different lengths; case n makes (value + n) * 3 + n. p: the prefix of the labels. */
#define CASE(p, n, padding) p #n ": lea " #n "(%rsi), %rax\n" padding "lea " #n "(%rax,%rax,2), %rax\nret\n"
#define CASES(p) CASE(p, 0, "") CASE(p, 1, "nop\n") CASE(p, 2, ".byte 0x66, 0x90\n") CASE(p, 3, "xchg %rcx, %rdx\nxchg %rcx, %rdx\n") \
	CASE(p, 4, "nop\nnop\nnop\n") CASE(p, 5, "") CASE(p, 6, "push %rax\npop %rax\n") CASE(p, 7, "")
#define ENTRIES(directive, p, minus) directive " " p "0" minus ", " p "1" minus ", " p "2" minus ", " p "3" minus ", " p "4" minus ", " \
	p "5" minus ", " p "6" minus ", " p "7" minus "\n"

typedef long dispatcher(long index, long value);
dispatcher absolute, relative32, relative16, relative8, in_text, behind_jump, two_levels, writable, by_return, by_arithmetic, by_stub, negative, loaded_late;

__asm__(".text\n"
	PROCEDURE(absolute) "jmp *absolute_table(,%rdi,8)\n" CASES("a") END(absolute)
	PROCEDURE(relative32) "lea relative32_table(%rip), %rdx\nmovslq (%rdx,%rdi,4), %rax\nadd %rdx, %rax\njmp *%rax\n" CASES("b") END(relative32)
	PROCEDURE(relative16) "lea relative16_base(%rip), %rdx\nmovzwl relative16_table(,%rdi,2), %eax\nadd %rdx, %rax\nrelative16_base: jmp *%rax\n"
	CASES("c") END(relative16)
	PROCEDURE(relative8) "movzbl relative8_table(%rdi), %eax\nlea relative8_base(%rip), %rdx\nadd %rdx, %rax\njmp *%rax\nrelative8_base:\n"
	CASES("d") END(relative8)
	PROCEDURE(in_text) "lea in_text_table(%rip), %rdx\njmp *(%rdx,%rdi,8)\n" CASES("e") ".balign 8\nin_text_table:\n" ENTRIES(".quad", "e", "") END(in_text)
	PROCEDURE(behind_jump) "lea 9f(%rip), %rdx\nmovslq (%rdx,%rdi,4), %rax\nadd %rdx, %rax\njmp *%rax\n9:\n" ENTRIES(".long", "f", " - 9b") CASES("f")
	END(behind_jump)
	PROCEDURE(two_levels) "movzbl two_levels_index(%rdi), %eax\nmov two_levels_table(,%rax,8), %rax\njmp *%rax\n" CASES("g") END(two_levels)
	PROCEDURE(writable) "lea writable_table(%rip), %rcx\nmov (%rcx,%rdi,8), %rcx\njmp *%rcx\n" CASES("h") END(writable)
	PROCEDURE(by_return) "lea by_return_table(%rip), %rdx\npush (%rdx,%rdi,8)\nret\n" CASES("i") END(by_return)
	/* Every case has 16 bytes; the address is computed, no table at all. */
	PROCEDURE(by_arithmetic) "lea j0(%rip), %rdx\nmov %rdi, %rax\nshl $4, %rax\nadd %rdx, %rax\njmp *%rax\n.balign 16\n"
	"j0: lea (%rsi,%rsi,2), %rax\nret\n.balign 16\n" "j1: lea 4(%rsi,%rsi,2), %rax\nret\n.balign 16\n" "j2: lea 8(%rsi,%rsi,2), %rax\nret\n.balign 16\n"
	"j3: lea 12(%rsi,%rsi,2), %rax\nret\n.balign 16\n" "j4: lea 16(%rsi,%rsi,2), %rax\nret\n.balign 16\n" "j5: lea 20(%rsi,%rsi,2), %rax\nret\n.balign 16\n"
	"j6: lea 24(%rsi,%rsi,2), %rax\nret\n.balign 16\n" "j7: lea 28(%rsi,%rsi,2), %rax\nret\n" END(by_arithmetic)
	/* A table of jumps, which is jumped into. */
	PROCEDURE(by_stub) "lea 9f(%rip), %rdx\nlea (%rdi,%rdi,4), %rax\nadd %rdx, %rax\njmp *%rax\n9:\n"
	".byte 0xe9\n.long k0 - . - 4\n.byte 0xe9\n.long k1 - . - 4\n.byte 0xe9\n.long k2 - . - 4\n.byte 0xe9\n.long k3 - . - 4\n"
	".byte 0xe9\n.long k4 - . - 4\n.byte 0xe9\n.long k5 - . - 4\n.byte 0xe9\n.long k6 - . - 4\n.byte 0xe9\n.long k7 - . - 4\n" CASES("k") END(by_stub)
	/* Targets lie before the base. */
	PROCEDURE(negative) "jmp 8f\n" CASES("l") "8: lea negative_base(%rip), %rdx\nmovslq negative_table(,%rdi,4), %rax\nadd %rdx, %rax\n"
	"negative_base: jmp *%rax\n" END(negative)
	/* The table's address travels through the stack and a conditional. */
	PROCEDURE(loaded_late) "lea loaded_late_table(%rip), %rax\npush %rax\ntest %rdi, %rdi\njs m7\npop %rdx\nlea (,%rdi,8), %rcx\nadd %rcx, %rdx\njmp *(%rdx)\n"
	CASES("m") END(loaded_late)
	".section .rodata\n.balign 8\n"
	"absolute_table:\n" ENTRIES(".quad", "a", "")
	"relative32_table:\n" ENTRIES(".long", "b", " - relative32_table")
	"relative16_table:\n" ENTRIES(".short", "c", " - relative16_base")
	"relative8_table:\n" ENTRIES(".byte", "d", " - relative8_base")
	"two_levels_index: .byte 3, 1, 4, 0, 5, 2, 7, 6\n.balign 8\n"
	"two_levels_table:\n" ENTRIES(".quad", "g", "")
	"by_return_table:\n" ENTRIES(".quad", "i", "")
	"negative_table:\n" ENTRIES(".long", "l", " - negative_base")
	"loaded_late_table:\n" ENTRIES(".quad", "m", "")
	".data\n.balign 8\nwritable_table:\n" ENTRIES(".quad", "h", "")
	".text\n");

static const struct { const char *name; dispatcher *enter; } all[] = {
	{ "absolute", absolute }, { "relative32", relative32 }, { "relative16", relative16 }, { "relative8", relative8 }, { "in text", in_text },
	{ "behind the jump", behind_jump }, { "two levels", two_levels }, { "writable", writable }, { "by return", by_return },
	{ "by arithmetic", by_arithmetic }, { "by stub", by_stub }, { "negative", negative }, { "loaded late", loaded_late },
};

int main(void)
{
	static const int permuted[8] = { 3, 1, 4, 0, 5, 2, 7, 6 };

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		unsigned long sum = 0;
		for (long n = 0; n < 4000; n++) {
			long index = n * 5 % 8, which = all[i].enter == two_levels ? permuted[index] : index;
			long got = all[i].enter(index, n);
			if (got != (n + which) * 3 + which) {
				printf("%s, case %ld: %ld\n", all[i].name, index, got);
				return 99;
			}
			sum = sum * 31 + got;
		}
		printf("%s: %lu\n", all[i].name, sum);
	}
	return passed();
}
