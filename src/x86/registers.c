#include "x86/registers.h"

static const char *const names[4][REG_COUNT] = {
	{"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b"},
	{"ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w", "r15w"},
	{"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d"},
	{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"},
};
static const char *const high_names[4] = {"ah", "ch", "dh", "bh"};

const char *register_name(uint8_t reg, uint8_t size, uint8_t high_byte)
{
	if (high_byte)
		return reg < 4 ? high_names[reg] : "?";
	if (reg >= REG_COUNT || !size || size > 8 || size & (size - 1))
		return "?";
	return names[__builtin_ctz(size)][reg];
}
