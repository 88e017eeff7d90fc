/* What an instruction reads and writes, as operands: the variables of learning (paper section 2.2.1) and the facts their redundancy
 * analysis needs. A thin layer over Zydis; no OS calls.
 *
 *   mov eax, [rdi+rsi*4]   reads slot 9 (address rdi+rsi*4), slot 1 (the dword there); writes rax
 *   push rbp               reads slot 0 (rbp), marked as a save; writes rsp and memory
 *   call [rax+0x18]        reads slot 0 (the qword at rax+0x18), which is the target
 */
#ifndef X86_OPERANDS_H
#define X86_OPERANDS_H

#include <clearview/invariant.h>
#include <stdbool.h>
#include <stddef.h>

enum { OPERANDS_MAX = 16, SLOT_NONE = 0xff };

struct operand_read {
	uint8_t slot; /* see invariant.h */
	struct operand operand;
};

struct operands {
	struct operand_read read[OPERANDS_MAX]; /* ascending by slot; evaluated before the instruction is executed */
	uint8_t read_count;
	uint8_t target_slot;   /* the read that an indirect call or jump goes to; SLOT_NONE: none */
	bool is_call;          /* direct or indirect; the written registers are then those a callee may change */
	bool is_return;
	bool saves_register;   /* push of a register: a callee's or caller's save, seldom a value of interest */
	bool stores;           /* may write memory */
	bool loads;            /* reads memory */
	struct operand store;  /* the one memory operand it may write; OPERAND_NONE if there is none, or none that an operand can express:
				  strings, vectors, stack pushes, the kernel, callees */
	uint32_t registers_read;    /* bit r: general register r, in whole or part; address registers and what a conditional write may leave included */
	uint32_t registers_written; /* likewise; conditional writes count */
};

/* Decodes the instruction at `bytes`. Offsets of rip-relative operands count from `address`, the instruction's module offset.
 * Values no operand can express (vector, x87, segment and system registers, 32-bit addressing, floating point in memory), the stack protector's
 * canary (random by design) and registers read only to be zeroed (xor eax, eax) are left out. Returns 0 or -EILSEQ. */
int operands_decode(const uint8_t *bytes, size_t available, uint64_t address, struct operands *out) __attribute__((warn_unused_result));

/* Same value if nothing was written in between. */
bool operand_equal(const struct operand *a, const struct operand *b);

/* The registers it is computed from. */
uint32_t operand_registers(const struct operand *o);

/* Executing `by` may change the operand's value. Same base register and disjoint displacements count as disjoint memory; writes by other
 * threads are not considered (nor are they by the paper). */
bool operand_changed_by(const struct operand *o, const struct operands *by);

/* The read with that slot, or NULL. */
const struct operand_read *operands_find(const struct operands *o, uint8_t slot);

#endif
