/* Brings what is in force in this supervisor's guests into accordance with the store: patches that are tried or kept, checks of locations
 * that are being checked. The only place that has the host put something in or take it out. */
#ifndef REPAIR_FORCE_H
#define REPAIR_FORCE_H

#include "repair/private.h"

/* Outside of any transaction. A patch the host can't apply has failed, and another takes its place. */
int force_sync(struct repair *r);

/* The location's patch that is in force here, or NULL. Valid until the next force_sync(). */
const struct force_entry *force_at(const struct repair *r, uint64_t location);

/* Is this patch in force here? */
bool force_has(const struct repair *r, uint64_t patch);

#endif
