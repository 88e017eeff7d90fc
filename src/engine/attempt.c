#include "engine/attempt.h"
#include "engine/image_private.h"
#include "engine/return_sites.h"

#include <errno.h>

static void attempt_free(struct attempt *a)
{
	text_plans_free(a->plans, a->plan_count);
	copy_free(a->copy);
}

static int attempt_make(struct image *im, struct redirected *r, struct weave *weaves, size_t count, bool sparing, struct attempt *out)
{
	struct loaded *l = r->loaded;
	*out = (struct attempt){0};
	if (!count && !r->copy && zone_is_short(l->zone))
		return -ENOSPC;
	int status = image_emit_copy(im, l, r->procedure, weaves, count, sparing, &out->copy);
	if (!status)
		status = image_plan_text(im, r, out->copy, &out->plans, &out->plan_count, &out->counts);
	if (status) {
		copy_free(out->copy);
		out->copy = NULL;
	}
	return status;
}

bool attempt_may_yield(const struct redirected *r)
{
	const struct loaded *l = r->loaded;
	for (size_t i = 0; i < l->inlined_count && !returns_elsewhere(r->procedure); i++)
		if (l->inlined[i]->yields)
			return true;
	return false;
}

/* Traps where springboards should be are slow, and some code can't bear them: rather less is woven. */
int attempt_best(struct image *im, struct redirected *r, struct weave *weaves, size_t count, struct attempt *out)
{
	struct attempt sparing;
	int status = attempt_make(im, r, weaves, count, false, out);
	if (status || !out->counts.traps || im->only_traps || !attempt_may_yield(r))
		return status;
	if (attempt_make(im, r, weaves, count, true, &sparing))
		return attempt_make(im, r, weaves, count, false, out); /* resume addresses are the last attempt's */
	if (sparing.counts.traps < out->counts.traps) {
		attempt_free(out);
		*out = sparing;
		out->counts.spared = 1;
		return 0;
	}
	attempt_free(&sparing);
	attempt_free(out);
	return attempt_make(im, r, weaves, count, false, out);
}

void attempt_count(struct image *im, const struct attempt *a)
{
	springboard_count(&im->counts, &a->counts);
}
