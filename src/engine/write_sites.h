/* Which writes of a procedure have to be checked: those through registers that don't point to its frame, unless the same place was checked before in the same
 * block. */
#ifndef ENGINE_WRITE_SITES_H
#define ENGINE_WRITE_SITES_H

#include "engine/procedure.h"
#include "x86/effects.h"

/* The address of a byte that is written. */
struct write_point {
	uint8_t base, index, scale;
	int32_t displacement;
};

/* The last byte of a write; of a string instruction's (upward) the last and the first. Returns how many, at most 2. */
unsigned write_points(const struct effects *e, struct write_point out[2]);

void write_sites_mark(const struct procedure *p, const struct effects *effects, uint8_t *marks, uint8_t mark);

#endif
