/* Invariants over the values at program points (paper section 2.2.2), as learned, stored, shipped and enforced. */
#ifndef CLEARVIEW_INVARIANT_H
#define CLEARVIEW_INVARIANT_H

#include <clearview/operand.h>
#include <clearview/point.h>

enum { ONE_OF_MAX = 8 };

/* What an instruction reads, before it is executed. Within one instruction variables are told apart by slot:
 * 0..7 its operands in Zydis' order (register reads and memory values), 8..15 the effective address of operand slot-8,
 * SLOT_STACK the stack pointer (at block starts), SLOT_RETURN rax at a ret: its one-of is knowledge for repairs, not a condition (values it has
 * returned that mean something elsewhere, those that look like failures first; it may have returned others). */
enum { SLOT_ADDRESS = 8, SLOT_STACK = 16, SLOT_RETURN = 17 };

struct variable {
	struct point at;
	uint8_t slot;
	struct operand operand;
};

enum invariant_kind {
	INVARIANT_NONE,
	INVARIANT_ONE_OF,      /* a in {value[0..count)} */
	INVARIANT_LOWER_BOUND, /* bound <= a (signed) */
	INVARIANT_LESS_THAN,   /* a <= b (signed); checked where the later of the two stands: see a_is_later */
	INVARIANT_SP_OFFSET,   /* stack pointer at a = stack pointer at the procedure's entry - bound */
};

struct invariant {
	uint64_t id;           /* the store's row; 0 when not stored */
	uint8_t kind;          /* enum invariant_kind */
	uint8_t a_is_later;    /* less-than: 1: b's instruction predominates a's (or b is the lower slot of the same one), 0: the other way round */
	uint8_t relative;      /* one-of: bit i: value[i] is an offset in a's module (a function, a global): add the module's load bias before use */
	uint64_t procedure;    /* offset of the procedure's entry, in a.at.module */
	struct variable a, b;
	int64_t bound;
	uint32_t count;        /* one-of */
	int64_t value[ONE_OF_MAX]; /* one-of: ascending */
	uint64_t samples;      /* observations that support it */
};

#endif
