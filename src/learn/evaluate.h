/* Whether an invariant holds for given values, and what an operand's value is in a given machine state; on the host side. */
#ifndef LEARN_EVALUATE_H
#define LEARN_EVALUATE_H

#include <clearview/invariant.h>
#include <stdbool.h>
#include <stddef.h>

/* The state of a stopped thread. read_memory returns 0 or -errno and need not be given for register operands. */
struct machine {
	uint64_t registers[REG_COUNT];
	uint64_t fs_base, gs_base;
	uint64_t bias;              /* load bias of the operand's module, for module_relative operands */
	int (*read_memory)(void *context, uint64_t address, void *out, size_t size);
	void *context;
};

/* The operand's value, sign-extended from its size. Returns 0, -EINVAL for what is no operand, or read_memory's error. */
int operand_evaluate(const struct operand *o, const struct machine *m, int64_t *out) __attribute__((warn_unused_result));

/* The address of a memory operand in that state, segment base included. */
uint64_t operand_address(const struct operand *o, const struct machine *m);

/* a, b: the values of the invariant's variables; b only counts for less-than. bias: load bias of the module (one-of with module addresses).
 * INVARIANT_SP_OFFSET: a is the stack pointer, b the stack pointer at the procedure's entry (canonical frame address - 8). */
bool invariant_holds(const struct invariant *i, int64_t a, int64_t b, uint64_t bias);

/* Where it can be checked: the later of its variables' points. */
const struct point *invariant_point(const struct invariant *i);

/* One-of: the k-th value as it is in a process where the module has that load bias. */
int64_t invariant_value(const struct invariant *i, unsigned k, uint64_t bias);

/* Same kind and same variables (not: same bounds): what merging and the store take for the same invariant. */
bool invariant_same(const struct invariant *i, const struct invariant *j);

#endif
