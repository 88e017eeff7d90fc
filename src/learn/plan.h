/* What to observe in a procedure, and which pairs of variables may become less-than invariants. Made once from the decoded procedure and never
 * changed; the same code gives the same plan on every machine.
 *
 * A point is one observing probe: up to PROBE_OPERANDS operands of one instruction. The stack pointer needs no operand (records carry
 * it), so a point may have none. The first point of instruction plan.entry_offset is the entry: its record begins an activation. */
#ifndef LEARN_PLAN_H
#define LEARN_PLAN_H

#include "engine/procedure.h"

#include <clearview/guest.h>
#include <clearview/invariant.h>

struct plan_variable {
	uint64_t offset;    /* the instruction, in the module */
	uint32_t point;
	uint8_t slot;
	int8_t value;       /* index of the record's values; -1: the record's sp */
	struct operand operand;
};

struct plan_pair {
	uint32_t earlier, later; /* variables: earlier's instruction predominates later's, or is the same and its slot the lower */
};

struct plan_point {
	uint64_t offset;
	uint32_t first, count; /* variables */
	uint8_t operand_count;
	bool is_entry;
};

struct plan {
	struct module_key module;
	uint64_t procedure;    /* offset of its entry */
	uint64_t entry_offset; /* where an activation begins: behind endbr64 */
	struct plan_variable *variables; /* ascending by offset, slot */
	size_t variable_count;
	struct plan_point *points; /* ascending by offset */
	size_t point_count;
	struct plan_pair *pairs; /* ascending by later, earlier */
	size_t pair_count;
	uint32_t *first_pair;  /* variable v is the later one of pairs[first_pair[v] .. first_pair[v + 1]) */
	size_t pairs_left_out; /* beyond the limit */
};

/* Pairs are taken nearest first: those of one block, then block and its immediate predominator, then the next one up, ... until there are
 * max_pairs. (Repair uses two-variable invariants of the failing block only, paper section 2.4.1.) The stack pointer and
 * return values take no part. Returns 0, -E2BIG (procedure too large to learn), -EILSEQ (no code). */
int plan_new(const struct procedure *p, size_t max_pairs, struct plan **out) __attribute__((warn_unused_result));
void plan_free(struct plan *plan);

/* The operands to observe at a point, in the order of the record's values. Returns how many, at most PROBE_OPERANDS. */
unsigned plan_operands(const struct plan *plan, uint32_t point, struct operand out[PROBE_OPERANDS]);

#endif
