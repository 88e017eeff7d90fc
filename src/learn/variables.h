/* The variables of a procedure (paper section 2.2.1): what its instructions read, without the redundant ones. A variable is redundant if, on every
 * path, another one has read the same operand before and nothing can have changed the value since; that one is kept.
 *
 * Left out besides: the stack pointer as an operand (it is recorded at the entry and at block starts where it may have changed), and registers
 * pushed to be saved. At returns rax is recorded: what the procedure returns. */
#ifndef LEARN_VARIABLES_H
#define LEARN_VARIABLES_H

#include "engine/procedure.h"

#include <clearview/invariant.h>

struct variable_use {
	uint32_t insn; /* index of procedure.insns */
	uint8_t slot;
	struct operand operand;
};

struct variables {
	struct variable_use *at; /* ascending by instruction, slot */
	size_t count;
	uint32_t entry; /* the instruction where an activation begins: the procedure's first behind endbr64 (springboards stand there) */
};

enum { VARIABLES_INSNS_MAX = 20000 };

/* Returns 0, -E2BIG for procedures of more than VARIABLES_INSNS_MAX instructions, -EILSEQ for one without code. Give it back with variables_release. */
int variables_find(const struct procedure *p, struct variables *out) __attribute__((warn_unused_result));
void variables_release(struct variables *v);

/* All of them, the redundant included: for comparison. */
int variables_find_all(const struct procedure *p, struct variables *out) __attribute__((warn_unused_result));

#endif
