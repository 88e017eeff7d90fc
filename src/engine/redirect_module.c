/* Redirecting all of a module, from a snapshot where there is one. */
#include <stdlib.h>

#include "engine/image_private.h"
#include "engine/snapshot.h"

static int order_addresses(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

typedef VEC(uint64_t) address_list;

/* Decodes what isn't redirected yet; a procedure of several parts is in the list once, where its first part is. jumps: where they jump to, outside themselves. */
static struct procedure **decode_all(struct loaded *l, uint64_t except, address_list *jumps)
{
	const struct module *m = l->module;
	struct procedure **all = calloc(m->range_count + 1, sizeof *all);
	if (!all)
		abort();
	for (size_t i = 0; i < m->range_count; i++) {
		bool excepted = except && except >= m->ranges[i].start && except < m->ranges[i].end;
		if (excepted || snapshot_has(l, i) || image_redirected(l, m->ranges[i].start))
			continue;
		int status = procedure_get(l->module, m->ranges[i].start, &all[i]);
		if (status) {
			image_refuse_status(l, m->ranges[i].start, status);
			continue;
		}
		if (all[i]->ranges[0].start < m->ranges[i].start) {
			procedure_free(all[i]);
			all[i] = NULL;
			continue;
		}
		for (size_t k = 0; k < all[i]->exit_count; k++)
			vec_push(jumps, all[i]->exits[k]);
	}
	if (jumps->count)
		qsort(jumps->at, jumps->count, sizeof *jumps->at, order_addresses);
	return all;
}

static void add_jumps(struct redirected *r, const address_list *jumps)
{
	for (size_t i = 0; i < r->procedure->range_count; i++) {
		const struct range *part = &r->procedure->ranges[i];
		size_t low = 0, high = jumps->count;
		while (low < high) {
			size_t middle = (low + high) / 2;
			if (jumps->at[middle] < part->start)
				low = middle + 1;
			else
				high = middle;
		}
		for (; low < jumps->count && jumps->at[low] < part->end; low++)
			if (!low || jumps->at[low] != jumps->at[low - 1])
				vec_push(&r->extra, jumps->at[low]);
	}
}

/* All procedures are decoded before the first is copied, and copied before the first text is planned: so every jump from one into another one's middle is
 * known to the plan, and every copy that can be called. */
static void redirect_rest(struct image *im, struct loaded *l, uint64_t except, image_progress *tell)
{
	const struct module *m = l->module;
	address_list jumps = {0};
	struct redirected *r;
	struct procedure **all = decode_all(l, except, &jumps);
	size_t first = l->redirected.count;
	for (size_t i = 0; i < m->range_count; i++) {
		if (!(i & 255))
			tell("redirecting", m->path, i, m->range_count);
		if (!all[i])
			continue;
		int status = image_begin_unneeded(im, l, all[i], &r);
		if (status) {
			image_refuse_status(l, m->ranges[i].start, status);
			continue;
		}
		add_jumps(r, &jumps);
		status = image_own_copy(l, r, image_emit_copy(im, l, r->procedure, NULL, 0, false, &r->copy));
		(void)status; /* counted */
	}
	for (size_t i = first; i < l->redirected.count; i++)
		if (!image_stage_present_copy(im, l->redirected.at[i])) {
			int status = image_stage_copy(im, l->redirected.at[i], NULL, 0);
			if (status)
				image_refuse_status(l, l->redirected.at[i]->procedure->entry, status);
		}
	vec_free(&jumps);
	free(all);
}

/* Nothing that goes into the copies is this run's alone, and nothing is in the text already. */
static bool may_have_snapshot(const struct image *im, const struct loaded *l)
{
	bool plain = im->redirect_all && !im->only_traps && !im->visits;
	for (size_t i = 0; i < l->inlined_count; i++)
		plain &= l->inlined[i]->name != NULL;
	return plain && im->snapshots >= 0 && l->fresh && !l->written.count;
}

static void claim_copies(struct loaded *l, size_t first)
{
	for (size_t i = first; i < l->redirected.count; i++) {
		const struct redirected *r = l->redirected.at[i];
		zone_claim(l->zone, r->copy->code, r->copy->code + r->copy->size);
		for (size_t k = 0; k < r->old_copies.count; k++)
			zone_claim(l->zone, r->old_copies.at[k]->code, r->old_copies.at[k]->code + r->old_copies.at[k]->size);
	}
}

static void redirect_and_keep(struct image *im, struct loaded *l, uint64_t except, image_progress *tell)
{
	size_t first_redirected = l->redirected.count, first_refusal = l->refusals.count;
	struct springboard_counts before = im->counts, made;
	struct zone_apart apart;
	im->counts = (struct springboard_counts){0};
	zone_begin_apart(l->zone, (l->text.end - l->text.start) * 3 / 2, &apart);
	redirect_rest(im, l, except, tell);
	zone_end_apart(l->zone, &apart);
	claim_copies(l, first_redirected);
	made = im->counts;
	springboard_count(&im->counts, &before);
	snapshot_keep(im, l, first_redirected, first_refusal, &made);
}

void image_redirect_module(struct image *im, struct loaded *l, uint64_t except, image_progress *tell)
{
	if (!l->zone)
		return;
	if (may_have_snapshot(im, l) && !snapshot_restore(im, l))
		redirect_and_keep(im, l, except, tell);
	else
		redirect_rest(im, l, except, tell);
}
