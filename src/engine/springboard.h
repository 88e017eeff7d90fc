/* What the original bytes of a redirected procedure become: springboards to its copy wherever control can come in from outside, the calls as they were,
 * int3 in place of everything else that was reached as an instruction.
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
	struct range range;   /* module offsets */
	uint8_t *original;    /* the bytes before: the undo record */
	uint8_t *bytes;       /* the bytes to be */
	uint8_t *boundary;    /* 1: an instruction that is now dead started here */
	uint32_t *hole_of;    /* at a hole's first byte: where its jump goes, offset in the copy + 1; else 0 */
	bool has_holes;
};

struct springboard_counts {
	uint32_t jumps, hops, short_jumps, traps, in_place; /* by form; in_place: straight runs left native because nothing fitted */
	uint32_t spared;      /* procedures that less is woven into, for lack of room */
};

/* Plans all ranges of the copied procedure. extra[]: further module offsets where control may come in (landings seen, jumps from other procedures).
 * only_traps forces the int3 form (a bug provoker). Returns 0 or -errno. */
int springboard_plan(const struct copy *c, struct zone *z, const uint64_t *extra, size_t extra_count, bool only_traps, bool paranoid,
		     struct text_plan **plans, size_t *plan_count, struct springboard_counts *counts) __attribute__((warn_unused_result));
void text_plans_free(struct text_plan *plans, size_t count);

#endif
