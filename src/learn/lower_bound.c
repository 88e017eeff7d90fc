#include "learn/lower_bound.h"

bool lower_bound_observe(struct lower_bound *l, int64_t value)
{
	bool changed = !l->seen || value < l->bound;
	if (changed)
		*l = (struct lower_bound){true, value};
	return changed;
}

bool lower_bound_violates(const struct lower_bound *l, int64_t value)
{
	return l->seen && value < l->bound;
}

void lower_bound_merge(struct lower_bound *into, const struct lower_bound *from)
{
	if (from->seen)
		lower_bound_observe(into, from->bound);
}

bool lower_bound_invariant(const struct lower_bound *l, unsigned size, struct invariant *out)
{
	int64_t least = size >= 8 ? INT64_MIN : -(1ll << (8 * size - 1));
	if (!l->seen || l->bound <= least)
		return false;
	out->kind = INVARIANT_LOWER_BOUND;
	out->bound = l->bound;
	return true;
}
