#include "learn/sp_offset.h"

static void drop(struct sp_offset *s)
{
	*s = (struct sp_offset){.dropped = true};
}

bool sp_offset_violates(const struct sp_offset *s, int64_t bound)
{
	return s->seen && s->bound != bound;
}

bool sp_offset_observe(struct sp_offset *s, int64_t bound)
{
	if (s->dropped || (s->seen && s->bound == bound))
		return false;
	if (s->seen)
		drop(s);
	else
		*s = (struct sp_offset){.seen = true, .bound = bound};
	return true;
}

void sp_offset_merge(struct sp_offset *into, const struct sp_offset *from)
{
	if (from->dropped)
		drop(into);
	else if (from->seen)
		sp_offset_observe(into, from->bound);
}

bool sp_offset_invariant(const struct sp_offset *s, struct invariant *out)
{
	if (!s->seen)
		return false;
	out->kind = INVARIANT_SP_OFFSET;
	out->bound = s->bound;
	return true;
}
