/* Call frame information of a module (.eh_frame, through elfutils): where the caller's registers are, instruction by instruction.
 * Used to unwind stacks, to name procedure activations by their canonical frame address (cfa), and to compile "return from the enclosing
 * procedure" into machine code. One thread at a time per module: the cache isn't locked. */
#ifndef ENGINE_CFI_H
#define ENGINE_CFI_H

#include "engine/module.h"

#include <clearview/operand.h>

/* A thread's state. */
struct cfi_registers {
	uint64_t general[REG_COUNT];
	uint64_t rip, rflags;
};

enum cfi_place_kind {
	CFI_UNDEFINED,   /* the caller's value is lost (caller-saved registers; return address: there is no caller) */
	CFI_SAME,        /* still in the register */
	CFI_AT_CFA,      /* in memory, at cfa + offset */
	CFI_CFA,         /* equals cfa + offset */
	CFI_AT_REGISTER, /* in memory, at reg + offset (realigned stacks) */
	CFI_IN_REGISTER, /* in reg */
	CFI_EXPRESSION,  /* only cfi_step can tell */
};

struct cfi_place {
	uint8_t kind; /* enum cfi_place_kind */
	uint8_t reg;
	int64_t offset;
};

struct cfi_rule {
	struct range valid;      /* the instructions the rule holds for */
	bool is_signal_frame;    /* 'S': the caller was interrupted, it did not call */
	bool is_expression;      /* the cfa needs cfi_step; cfa_register is REG_NONE */
	bool cfa_is_loaded;      /* cfa = the 8 bytes at cfa_register + cfa_offset (realigned stacks), instead of the sum itself */
	uint8_t cfa_register;
	int64_t cfa_offset;
	struct cfi_place saved[REG_COUNT]; /* what the registers held in the caller; REG_RSP: CFI_CFA */
	struct cfi_place return_address;
};

/* The rule before the instruction at the offset is executed. For a caller, pass its return address - 1: a call may be a procedure's last
 * instruction. Returns 0, -ENOENT (no CFI covers the offset) or -EBADMSG (damaged). */
int cfi_rule(const struct module *m, uint64_t offset, struct cfi_rule *out) __attribute__((warn_unused_result));

/* Reads a thread's memory: returns how many bytes from the start could be read. */
typedef size_t cfi_read(void *context, uint64_t address, void *out, size_t size);

struct cfi_frame {
	uint64_t cfa;
	bool is_signal_frame;
	bool is_outermost;           /* there is no caller; `caller` is unset */
	struct cfi_registers caller; /* rip: the return address. Lost registers keep the callee's value */
};

/* The code at the offset is entered with the return address on top of the stack and nothing saved yet; a part that a compiler split off a procedure starts in
 * the middle of a frame. */
bool cfi_starts_frame(const struct module *m, uint64_t offset);

/* Computes the caller's registers, expressions included. offset as in cfi_rule, bias: the module's load bias. Returns 0, -ENOENT, -EBADMSG,
 * -EFAULT (a save slot can't be read) or -ENOTSUP (an operation outside the evaluator's set). */
int cfi_step(const struct module *m, uint64_t bias, uint64_t offset, const struct cfi_registers *in, cfi_read *read, void *context,
	     struct cfi_frame *out) __attribute__((warn_unused_result));

/* The C++ landing pads of the .eh_frame range that starts at range_start, from its language-specific data (.gcc_except_table), ascending,
 * each once. Returns how many there are (at most `max` are written; beyond that the count is an upper bound), or -EBADMSG. */
int cfi_landing_pads(const struct module *m, uint64_t range_start, uint64_t *out, size_t max) __attribute__((warn_unused_result));

/* All .eh_frame entries, in the file's order, without .eh_frame_hdr (static programs have none): `entry` is the FDE's offset. A visitor that
 * returns true ends the walk. Returns 0 or -EBADMSG. */
typedef bool cfi_visitor(void *context, uint64_t entry, const struct range *code);
int cfi_walk(const struct module *m, cfi_visitor *visit, void *context);

void cfi_free(struct cfi *c);

#endif
