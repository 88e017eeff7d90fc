/* What the original bytes of a redirected procedure become: springboards to its copy wherever control can come in from outside, the calls as they were,
 * int3 in place of everything else that was reached as an instruction. Calls may lead straight to the copies of what they call.
 *
 * By construction no landing executes garbage: every byte at which an original instruction started (and which isn't a springboard's
 * first byte or part of a call that stays) traps. Where such a byte lies inside a springboard's displacement, the jump goes through a
 * hop whose distance makes that byte a trapping opcode. With `paranoid`, all of a displacement's bytes are made to trap (hops are then spread over more of
 * the zone), so that an entry that analysis knows nothing of is caught, too. */
#ifndef ENGINE_SPRINGBOARD_H
#define ENGINE_SPRINGBOARD_H

#include "engine/copy.h"

/* New text for one range of a procedure. */
struct text_plan {
	struct range range;   /* module offsets; of the procedure's, and perhaps of padding behind it */
	uint8_t *original;    /* the bytes before: the undo record */
	uint8_t *bytes;       /* the bytes to be */
	uint8_t *boundary;    /* 1: an instruction that is now dead started here */
	uint8_t *landable;    /* 1: control may come in here: a springboard or an instruction that stays */
	uint32_t *hole_of;    /* at a hole's first byte: where its jump goes, offset in the copy + 1; else 0 */
	bool has_holes;
};

struct springboard_counts {
	uint32_t jumps, hops, short_jumps, traps; /* by form */
	uint32_t in_place;   /* straight runs left native because nothing fitted */
	uint32_t prefixes;   /* jumps that stand a few instructions later, those left native, because there no hop is needed */
	uint32_t calls;      /* calls that lead straight to a copy */
	uint32_t spared;     /* procedures that less is woven into, for lack of room */
};

struct plan_options {
	const uint64_t *extra; /* further module offsets where control may come in: landings seen, jumps from other procedures */
	size_t extra_count;
	bool only_traps;       /* every springboard an int3 (a bug provoker) */
	bool paranoid;
	bool padded;           /* the padding behind is to be in the plan, whether it is needed or not */
	bool no_holes;         /* no jumps in dead bytes: the way back to native is free */
	/* Where a direct call of the procedure at a module offset may go instead, guest address; 0: to the original. NULL: all do. */
	uint64_t (*callee)(void *context, uint64_t offset);
	void *context;
};

/* Plans all ranges of the copied procedure. Returns 0 or -errno. */
int springboard_plan(const struct copy *c, struct zone *z, const struct plan_options *options, struct text_plan **plans, size_t *plan_count,
		     struct springboard_counts *counts) __attribute__((warn_unused_result));
void springboard_count(struct springboard_counts *sum, const struct springboard_counts *more);
void text_plans_free(struct text_plan *plans, size_t count);

#endif
