/* The state machine of a failure location, as a table (design section 6):
 *
 *   detected --checks--> checking --candidates--> repairing --success--> patched
 *      |  ^                                        ^  |  ^                 |
 *      |  +---------------- exhausted -------------|--+  +--- withdrawn ---+
 *      +------------------- candidates ------------+
 */
#ifndef REPAIR_LIFECYCLE_H
#define REPAIR_LIFECYCLE_H

#include "repair/private.h"

enum lifecycle_input {
	LIFECYCLE_CHECKS,     /* there are suspects: checks go in */
	LIFECYCLE_CANDIDATES, /* candidate patches are made */
	LIFECYCLE_SUCCESS,    /* the patch in force succeeded */
	LIFECYCLE_WITHDRAWN,  /* the patch in force failed, or the operator took it out */
	LIFECYCLE_EXHAUSTED,  /* no candidate is worth being in force */
};

/* The state an input leads to; false: the input means nothing in this state. */
bool lifecycle_next(enum location_state from, enum lifecycle_input input, enum location_state *to);

/* Takes the transition, writes the location and the event. Inputs that mean nothing in the state change nothing. Within a transaction. */
int lifecycle_step(struct store *s, struct location *l, enum lifecycle_input input, int64_t now_us, const char *why);

/* A failure at the location, which was read in this transaction and whose `last` it is: the next step of correlation, candidates or
 * evaluation. in_time: the patch in force in that process had its chance to act. */
int lifecycle_failure(struct repair *r, struct location *l, bool in_time);

#endif
