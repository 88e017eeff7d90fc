/* What a patch with GUARD_FAULT goes on with when its instruction has faulted: small pieces of code in the zone. */
#ifndef NODE_FAULT_CODE_H
#define NODE_FAULT_CODE_H

#include "engine/image.h"

#include <clearview/patch.h>

/* Machine code for the patch's action at its point, for a thread whose registers are those before the instruction. lift: bytes to drop from the stack first
 * (behind a probe). callers: the frames above the point, for returns of more than one procedure. Returns its guest address, 0: not possible. */
uint64_t fault_code(struct image *im, struct loaded *l, const struct patch *p, unsigned lift, const struct point *callers, size_t caller_count);

#endif
