/* Programs that write into their own text: hooking libraries, tracers, static keys. They must read and change the bytes they were built with, so before
 * they can write (mprotect is woven) the procedures there go back to native, for good. */
#include <errno.h>

#include "engine/image.h"
#include "engine/image_private.h"
#include "engine/snapshot.h"

static bool meets(const struct procedure *p, const struct range *range)
{
	for (size_t i = 0; i < p->range_count; i++)
		if (p->ranges[i].start < range->end && range->start < p->ranges[i].end)
			return true;
	return false;
}

bool image_is_written(const struct loaded *l, const struct procedure *p)
{
	for (size_t i = 0; i < l->written.count; i++)
		if (meets(p, &l->written.at[i]))
			return true;
	return false;
}

static bool has_holes(const struct redirected *r)
{
	for (size_t i = 0; i < r->plan_count; i++)
		if (r->plans[i].has_holes)
			return true;
	return false;
}

void image_give_up(struct image *im, struct loaded *l, struct range text, bool alone)
{
	struct range offsets = {text.start - l->bias, text.end - l->bias};
	for (size_t i = 0; i < l->written.count; i++)
		if (l->written.at[i].start <= offsets.start && offsets.end <= l->written.at[i].end)
			return;
	vec_push(&l->written, offsets);
	snapshot_recall_all(l, offsets);
	for (size_t i = 0; i < l->redirected.count; i++) {
		struct redirected *r = l->redirected.at[i];
		if (r->given_up || !meets(r->procedure, &offsets))
			continue;
		if (alone)
			image_leave(r);
		else
			image_restore(im, r);
		r->given_up = alone || !(r->inherited || has_holes(r));
		l->refused += r->given_up;
		l->refused_by[REFUSED_REWRITTEN] += r->given_up;
	}
}
