/* Flags are arguments and results of hand-written procedures: carry, zero, sign, overflow, parity and direction cross calls, jumps and returns.
 * build: -O2
 * build: -O2 -static
 */
#include "behave.h"

unsigned long through_call(unsigned long flags), through_jump(unsigned long flags), result_in_carry(long a, long b), count_bits(long);
__asm__(".text\n"
	"just_return: ret\n"
	"just_jump: jmp just_return\n"
	".globl through_call\nthrough_call: push %rdi\npopf\ncall just_return\ncall just_jump\npushf\npop %rax\ncld\nret\n"
	".globl through_jump\nthrough_jump: lea 1f(%rip), %rcx\npush %rdi\npopf\njmp *%rcx\nud2\n1: jmp 2f\nnop\n2: pushf\npop %rax\ncld\nret\n"
	"below: cmp %rsi, %rdi\nret\n"
	".globl result_in_carry\nresult_in_carry: call below\nsetb %al\nmovzbl %al, %eax\nret\n"
	/* The carry of the shift lives across a call in a loop. */
	".globl count_bits\ncount_bits: xor %eax, %eax\nmov $64, %ecx\n3: shr $1, %rdi\ncall just_return\nadc $0, %rax\nlea -1(%rcx), %rcx\njrcxz 4f\njmp 3b\n4: ret\n");

enum { CF = 1, PF = 4, AF = 16, ZF = 64, SF = 128, DF = 1024, OF = 2048, ALL = CF | PF | AF | ZF | SF | DF | OF };

int main(void)
{
	for (int round = 0; round < 200; round++)
		for (int bits = 0; bits < 128; bits++) {
			static const unsigned long flag[] = { CF, PF, AF, ZF, SF, DF, OF };
			unsigned long flags = 0x202;
			for (int i = 0; i < 7; i++)
				if (bits >> i & 1)
					flags |= flag[i];
			CHECK((through_call(flags) & ALL) == (flags & ALL));
			CHECK((through_jump(flags) & ALL) == (flags & ALL));
			CHECK(result_in_carry(bits, 64) == (bits < 64));
			CHECK(count_bits(bits * 0x0101010101010101) == 8ul * __builtin_popcount(bits));
		}
	return passed();
}
