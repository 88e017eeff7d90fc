/* A value that can be computed from a thread's registers and memory at one instruction: a register, an effective
 * address, or what lies there. The host makes operands from instructions, the blob evaluates them in the guest. */
#ifndef CLEARVIEW_OPERAND_H
#define CLEARVIEW_OPERAND_H

#include <stdint.h>

/* General registers in hardware numbering, then the pseudo registers. */
enum operand_register {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
	REG_COUNT,
	REG_NONE = 0xff,
};

enum operand_segment { SEGMENT_NONE, SEGMENT_FS, SEGMENT_GS };

enum operand_kind {
	OPERAND_NONE,
	OPERAND_REGISTER, /* the register's value */
	OPERAND_ADDRESS,  /* base + index * scale + displacement (no segment base) */
	OPERAND_MEMORY,   /* the size bytes at that address */
};

/* 24 bytes, the same on both sides of the process boundary. */
struct operand {
	uint8_t kind;      /* enum operand_kind */
	uint8_t size;      /* bytes: 1, 2, 4 or 8; values are sign-extended from it to 64 bits */
	uint8_t reg;       /* OPERAND_REGISTER */
	uint8_t high_byte; /* ah, ch, dh, bh */
	uint8_t base;      /* REG_NONE: none */
	uint8_t index;     /* REG_NONE: none */
	uint8_t scale;     /* 1, 2, 4, 8 */
	uint8_t segment;   /* enum operand_segment */
	uint8_t module_relative; /* displacement is an offset in the operand's own module (rip-relative operands):
				    add the module's load bias before use in a guest */
	uint8_t unused[7];
	int64_t displacement;
};

#endif
