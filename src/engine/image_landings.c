/* Landings under the firewall: which of them are the engine's own traps, and which have been found right. */
#include "engine/image_private.h"

/* The byte is written by a plan: an instruction's start, a byte in the middle of one, or of a springboard. */
static bool is_overwritten(const struct redirected *r, uint64_t offset)
{
	for (size_t i = 0; i < r->plan_count; i++) {
		const struct text_plan *p = &r->plans[i];
		if (offset >= p->range.start && offset < p->range.end)
			return p->bytes[offset - p->range.start] != p->original[offset - p->range.start];
	}
	return false;
}

/* Brings the map up to what is known elsewhere, too. */
static uint32_t *landing_at(struct image *im, uint64_t address, struct loaded **l)
{
	*l = image_module_at(im, address);
	if (*l)
		image_redirected(*l, address - (*l)->bias);
	return *l && (*l)->map ? &(*l)->map[address - (*l)->text.start] : NULL;
}

bool image_traps_at(struct image *im, uint64_t address)
{
	struct loaded *l = image_module_at(im, address);
	struct redirected *r = l ? image_redirected(l, address - l->bias) : NULL;
	uint64_t end;
	if (!l || !l->map)
		return false;
	if (!r)
		r = image_padded(l, address - l->bias, &end);
	return l->map[address - l->text.start] || (r && !r->leaving && is_overwritten(r, address - l->bias));
}

uint64_t image_landing_goes_to(struct image *im, uint64_t address)
{
	struct loaded *l;
	const uint32_t *to = landing_at(im, address, &l);
	return to && *to ? l->zone->start + (*to & GUEST_MAP_OFFSET) - 1 : 0;
}

uint64_t image_approve(struct image *im, uint64_t address)
{
	struct loaded *l;
	uint32_t *to = landing_at(im, address, &l);
	if (!to || !*to)
		return 0;
	__atomic_store_n(to, *to | GUEST_MAP_APPROVED, __ATOMIC_RELEASE);
	return l->zone->start + (*to & GUEST_MAP_OFFSET) - 1;
}
