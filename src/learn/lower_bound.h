/* lower-bound: c <= x (signed). Joins by minimum. Whether it applies is decided by the variable's pointer class. */
#ifndef LEARN_LOWER_BOUND_H
#define LEARN_LOWER_BOUND_H

#include <clearview/invariant.h>
#include <stdbool.h>

struct lower_bound {
	bool seen;
	int64_t bound;
};

bool lower_bound_observe(struct lower_bound *l, int64_t value);
bool lower_bound_violates(const struct lower_bound *l, int64_t value);
void lower_bound_merge(struct lower_bound *into, const struct lower_bound *from);
/* False: nothing was seen, or the bound is the least value `size` bytes hold. Fills kind and bound. */
bool lower_bound_invariant(const struct lower_bound *l, unsigned size, struct invariant *out);

#endif
