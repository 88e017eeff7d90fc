#include "repair/correlate.h"

const char *const correlation_names[CORRELATION_COUNT] = {"undecided", "not", "slightly", "moderately", "highly"};

enum correlation correlation_of(const struct check *c, unsigned failures)
{
	if (failures && c->violated_before_failure >= failures)
		return c->violated_elsewhere ? CORRELATION_MODERATELY : CORRELATION_HIGHLY;
	return c->violated_before_failure || c->violated_elsewhere ? CORRELATION_SLIGHTLY : CORRELATION_NOT;
}

/* The stack pointer's offset and the values returned are knowledge for repairs, not suspects. */
static bool is_suspect(const struct invariant *i)
{
	if (i->a.slot == SLOT_RETURN || i->a.slot == SLOT_STACK)
		return false;
	return i->kind == INVARIANT_ONE_OF || i->kind == INVARIANT_LOWER_BOUND || i->kind == INVARIANT_LESS_THAN;
}

static bool is_candidate(struct repair *r, const struct frame *frame, const struct invariant *i, bool failing)
{
	const struct point *at = invariant_point(i);
	const struct module_key *module = &frame->at.module;
	if (!is_suspect(i))
		return false;
	if (!r->host.predominates(r->host.context, module, frame->procedure, at->offset, frame->at.offset))
		return false;
	if (i->kind != INVARIANT_LESS_THAN)
		return true;
	return failing && r->host.same_block(r->host.context, module, frame->procedure, at->offset, frame->at.offset);
}

static uint64_t distance(const struct invariant *i, uint64_t offset)
{
	uint64_t at = invariant_point(i)->offset;
	return at < offset ? offset - at : at - offset;
}

/* Too many to check: keep those nearest to the failure. Insertion by distance; the list is short. */
static void keep_nearest(invariant_list *list, const struct invariant *i, uint64_t offset, size_t max)
{
	size_t at = list->count;
	if (list->count < max)
		vec_push(list, *i);
	else if (!max || distance(&list->at[--at], offset) <= distance(i, offset))
		return;
	for (; at > 0 && distance(&list->at[at - 1], offset) > distance(i, offset); at--)
		list->at[at] = list->at[at - 1];
	list->at[at] = *i;
}

static int candidates_of_frame(struct repair *r, const struct frame *frame, bool failing, invariant_list *out)
{
	invariant_list all = {0};
	int err = load_invariants(r->store, &frame->at.module, frame->procedure, &all);
	for (size_t i = 0; !err && i < all.count; i++)
		if (is_candidate(r, frame, &all.at[i], failing))
			keep_nearest(out, &all.at[i], frame->at.offset, r->settings.checks_max);
	vec_free(&all);
	return err;
}

/* A recursive procedure is looked at once, where it failed. */
static bool seen_before(const struct failure *f, unsigned n)
{
	for (unsigned i = f->location_frame; i < n; i++)
		if (f->stack[i].procedure == f->stack[n].procedure && !strncmp(f->stack[i].at.module.hex, f->stack[n].at.module.hex, MODULE_KEY_SIZE))
			return true;
	return false;
}

int correlate_candidates(struct repair *r, const struct failure *f, invariant_list *out)
{
	unsigned left = r->settings.procedures;
	for (unsigned n = f->location_frame; left && n < f->depth && !out->count; n++) {
		const struct frame *frame = &f->stack[n];
		if (!frame->at.module.hex[0] || seen_before(f, n))
			continue;
		left--;
		int err = candidates_of_frame(r, frame, n == f->location_frame, out);
		if (err)
			return err;
	}
	return 0;
}
