/* Which general registers and status flags may still be read before they are overwritten, by instruction of a procedure: what woven code must keep.
 * Conservative: everything is live where control goes to code outside the procedure's known flow. Only flags are dead at calls and returns: a caller
 * in the same module may know which registers this very procedure leaves alone (gcc's -fipa-ra). */
#ifndef ENGINE_LIVENESS_H
#define ENGINE_LIVENESS_H

#include "engine/procedure.h"
#include "x86/effects.h"

struct live {
	uint16_t registers; /* bit r: register r */
	uint16_t flags;     /* of FLAG_BITS */
};

/* What is live before each instruction of the procedure, whose effects are given in the same order. The caller frees the array. */
struct live *liveness_of(const struct procedure *p, const struct effects *effects);

/* The effects of each instruction; the caller frees the array. */
struct effects *liveness_effects(const struct procedure *p);

#endif
