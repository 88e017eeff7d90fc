/* Invariants as probe guards. */
#ifndef NODE_GUARD_H
#define NODE_GUARD_H

#include "engine/image.h"

#include <clearview/invariant.h>

/* Fills in guard, operands and activation rule of the probe at invariant_point(i). A less-than across instructions needs a second probe, which captures
 * the earlier variable: *earlier_point is set and p->earlier must be made to name it; else false is left in *needs_earlier.
 * Returns 0 or -EOPNOTSUPP. */
int guard_fill(struct guest_probe *p, const struct invariant *i, const struct loaded *l, bool *needs_earlier, struct operand *earlier_operand,
	       uint64_t *earlier_offset);
/* The rule that names activations at the offset. */
void guard_activation(struct guest_probe *p, const struct module *m, uint64_t offset);
/* An operand as it is in this process. */
struct operand guard_operand(const struct operand *o, const struct loaded *l);

#endif
