/* One instruction with its operands, evaluated against a thread's registers: addresses, and where an indirect transfer goes. */
#ifndef MONITOR_STACK_INSN_H
#define MONITOR_STACK_INSN_H

#include "engine/cfi.h"

#include <Zydis/Zydis.h>

struct stack_view;

struct stack_insn {
	uint64_t offset; /* module offset */
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
};

/* False: no instruction of the module's text. */
bool stack_insn_decode(const struct module *m, uint64_t offset, struct stack_insn *out);

/* Hardware number (enum operand_register) of the general register that holds this one; REG_NONE for all others. */
uint8_t stack_insn_register(ZydisRegister r);

/* The address of a memory operand. False for fs and gs (their bases aren't known) and vector indices. */
bool stack_insn_address(const struct stack_insn *i, const ZydisDecodedOperand *o, uint64_t bias, const struct cfi_registers *r, uint64_t *out);

/* Where a call or jump, direct or not, goes. */
bool stack_insn_target(const struct stack_view *v, const struct stack_insn *i, uint64_t bias, const struct cfi_registers *r, uint64_t *out);

#endif
