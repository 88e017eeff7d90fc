#include "learn/less_than.h"

uint8_t less_than_violates(const struct less_than *l, int64_t earlier, int64_t later)
{
	uint8_t broken = earlier < later ? LESS_DOWN : earlier > later ? LESS_UP : 0;
	return broken & ~l->dropped;
}

bool less_than_observe(struct less_than *l, int64_t earlier, int64_t later)
{
	uint8_t broken = less_than_violates(l, earlier, later);
	l->dropped |= broken;
	return broken;
}

void less_than_merge(struct less_than *into, const struct less_than *from)
{
	into->dropped |= from->dropped;
}

bool less_than_invariant(const struct less_than *l, uint8_t direction, const struct variable *earlier, const struct variable *later, struct invariant *out)
{
	if (l->dropped & direction)
		return false;
	out->kind = INVARIANT_LESS_THAN;
	out->a_is_later = direction == LESS_DOWN;
	out->a = direction == LESS_DOWN ? *later : *earlier;
	out->b = direction == LESS_DOWN ? *earlier : *later;
	return true;
}
