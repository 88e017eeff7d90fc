#include "node/flip.h"

enum { SOME = 24 };

/* xorshift; the same order in every run. */
static uint32_t next_random(void)
{
	static uint32_t x = 2463534242u;
	x ^= x << 13;
	x ^= x >> 17;
	return x ^= x << 5;
}

static uint32_t counting_probe(struct family *f)
{
	if (!f->flip_probe && (f->flip_probe = image_probe_new(&f->image))) {
		image_probe(&f->image, f->flip_probe)->work = PROBE_VISIT;
		__atomic_store_n(&image_probe(&f->image, f->flip_probe)->enabled, 1, __ATOMIC_RELEASE);
	}
	return f->flip_probe;
}

/* Native, or redirected with one probe more at its entry. What other weavers want there stays. */
static void flip(struct family *f, struct loaded *l, const struct range *r)
{
	struct weave w = {.offset = r->start, .place = WEAVE_BEFORE, .probe = f->flip_probe};
	uint64_t hook = 0;
	if (module_symbol(l->module, "_dl_debug_state", &hook) && hook >= r->start && hook < r->end)
		return;
	image_unwish_procedure(&f->image, l, r->start, OWNER_FLIP);
	if (next_random() & 1 && image_wish(&f->image, l, &w, OWNER_FLIP))
		return; /* no procedure: a stray range */
}

void flip_some(struct family *f)
{
	if (!f->image.modules.count || !counting_probe(f))
		return;
	struct loaded *l = f->image.modules.at[next_random() % f->image.modules.count];
	if (!l->zone || !l->module->range_count)
		return;
	for (int i = 0; i < SOME; i++)
		flip(f, l, &l->module->ranges[next_random() % l->module->range_count]);
	family_apply(f, true);
}
