/* A value that can be computed from a thread's registers and memory at one instruction: a register, an effective
 * address, or what lies there. The host makes operands from instructions, the blob evaluates them in the guest. */
#ifndef CLEARVIEW_OPERAND_H
#define CLEARVIEW_OPERAND_H

#include <stdint.h>

/* <signal.h> has other numbers under these names (with _GNU_SOURCE). Ours replace them, whatever the order of inclusion. */
#ifdef _GNU_SOURCE
#include <sys/ucontext.h>
#undef REG_RAX
#undef REG_RCX
#undef REG_RDX
#undef REG_RBX
#undef REG_RSP
#undef REG_RBP
#undef REG_RSI
#undef REG_RDI
#undef REG_R8
#undef REG_R9
#undef REG_R10
#undef REG_R11
#undef REG_R12
#undef REG_R13
#undef REG_R14
#undef REG_R15
#endif

/* General registers in hardware numbering, then the pseudo registers. */
enum operand_register {
	OPERAND_RAX, OPERAND_RCX, OPERAND_RDX, OPERAND_RBX, OPERAND_RSP, OPERAND_RBP, OPERAND_RSI, OPERAND_RDI,
	OPERAND_R8, OPERAND_R9, OPERAND_R10, OPERAND_R11, OPERAND_R12, OPERAND_R13, OPERAND_R14, OPERAND_R15,
	REG_COUNT,
	REG_NONE = 0xff,
};
#define REG_RAX OPERAND_RAX
#define REG_RCX OPERAND_RCX
#define REG_RDX OPERAND_RDX
#define REG_RBX OPERAND_RBX
#define REG_RSP OPERAND_RSP
#define REG_RBP OPERAND_RBP
#define REG_RSI OPERAND_RSI
#define REG_RDI OPERAND_RDI
#define REG_R8 OPERAND_R8
#define REG_R9 OPERAND_R9
#define REG_R10 OPERAND_R10
#define REG_R11 OPERAND_R11
#define REG_R12 OPERAND_R12
#define REG_R13 OPERAND_R13
#define REG_R14 OPERAND_R14
#define REG_R15 OPERAND_R15

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
