/* The strict monitor "shadow": notes each procedure's return address at its entry and compares it at its returns (clearview/guest.h). */
#ifndef NODE_WEAVE_SHADOW_H
#define NODE_WEAVE_SHADOW_H

#include "node/family.h"

/* Before the program is set up: f->plan tells it about the shadow. */
void weave_shadow_begin(struct family *f);
/* Before the module's first copy. */
void weave_shadow_module_loaded(struct family *f, struct loaded *l);
void weave_shadow_module_unloaded(struct loaded *l);
/* The return at this offset turned out not to be one, or the procedure with this entry is better not watched: a next copy doesn't look at it. False: nor did
 * the present one. */
bool weave_shadow_except(struct family *f, struct loaded *l, uint64_t offset);
/* A hot landing (guest address) that has no room for a springboard: what isn't watched may run in place. True if that has changed something. */
bool weave_shadow_make_room(struct family *f, uint64_t address);
/* Returns that nothing is noted for come fast: the last of them isn't watched any more. True if that has changed something. */
bool weave_shadow_tick(struct family *f);

#endif
