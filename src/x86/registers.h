/* Facts about the general registers: their names by size, and what a call leaves alone. */
#ifndef X86_REGISTERS_H
#define X86_REGISTERS_H

#include <clearview/operand.h>

/* Bit r of a mask is enum operand_register r. */
#define REGISTER_BIT(r) (1u << (r))

/* What a called procedure preserves by the System V ABI; the stack pointer is back where it was. */
enum {
	REGISTERS_PRESERVED = 1u << REG_RBX | 1u << REG_RSP | 1u << REG_RBP | 1u << REG_R12 | 1u << REG_R13 | 1u << REG_R14 | 1u << REG_R15,
	REGISTERS_ALL = (1u << REG_COUNT) - 1,
};

/* "rax", "eax", "ax", "al", "ah"; size in bytes. "?" for what does not exist. */
const char *register_name(uint8_t reg, uint8_t size, uint8_t high_byte);

#endif
