#include "repair/rank.h"

int rank_score(const struct patch *p, int bonus)
{
	return (int)p->successes - (int)p->failures + (p->failures ? 0 : bonus);
}

bool patch_is_generic(const struct patch *p)
{
	return p->guard != GUARD_INVARIANT;
}

static bool changes_control_flow(const struct patch *p)
{
	return p->action == ACTION_SKIP || p->action == ACTION_RETURN || p->action == ACTION_RESTORE;
}

static int order(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

int rank_compare(const struct patch *a, const struct patch *b, int bonus)
{
	int by = rank_score(b, bonus) - rank_score(a, bonus);
	if (by)
		return by;
	by = patch_is_generic(a) - patch_is_generic(b);
	if (by)
		return by;
	if (!patch_is_generic(a)) {
		by = order(a->at.offset, b->at.offset);
		if (!by)
			by = changes_control_flow(a) - changes_control_flow(b);
		/* Of two returns, the one that undoes less. */
		if (!by)
			by = a->depth - b->depth;
		if (by)
			return by;
	}
	return order(a->id, b->id);
}

const struct patch *rank_best(const struct patch *patches, size_t count, int bonus,
			      bool (*allows)(void *context, const struct patch *p), void *context)
{
	const struct patch *best = NULL;
	for (size_t i = 0; i < count; i++) {
		const struct patch *p = &patches[i];
		if (p->state == PATCH_DISABLED || (allows && !allows(context, p)))
			continue;
		if (!best || rank_compare(p, best, bonus) < 0)
			best = p;
	}
	return best;
}
