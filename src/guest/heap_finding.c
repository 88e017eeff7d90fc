/* What the heap monitor found when a block was freed: told to the supervisor, or dealt with by a patch. */
#include "guest/heap_internal.h"

/* The first byte behind the block's end that isn't as it was left. */
static uint64_t first_damage(uint64_t p, uint64_t size, uint64_t usable)
{
	uint64_t end = p + usable - HEAP_TRAILER, at = p + size;
	for (; at < heap_canary_end(p, size, end); at++)
		if (*(const uint8_t *)at != (uint8_t)guest_tables.heap_canary)
			return at;
	return end;
}

static void describe_damage(struct guest_heap_finding *f)
{
	struct guest_heap_slot *slot = heap_guard_at(f->block);
	if (slot) {
		f->size = slot->size;
		f->usable = slot->end - slot->block;
		f->address = slot->block + slot->size;
		f->site = slot->site;
		return;
	}
	f->usable = heap_usable(f->block);
	heap_intact(f->block, f->usable, &f->size);
	if (f->size != ~0ull)
		f->address = first_damage(f->block, f->size, f->usable);
	else
		f->address = f->block + f->usable - HEAP_TRAILER;
}

static void describe(struct guest_heap_finding *f, unsigned kind)
{
	uint64_t p = f->r[REG_RDI];
	const uint16_t *entry = heap_entry_at(p);
	f->kind = kind;
	f->address = f->block = p;
	f->size = ~0ull;
	f->usable = 0;
	f->site = entry ? heap_site_of(*entry) : 0;
	if (kind == HEAP_FREED_INSIDE) {
		f->block = heap_enclosing(p);
		entry = f->block ? heap_entry_at(f->block) : NULL;
		f->site = entry ? heap_site_of(*entry) : 0;
		if (f->block)
			heap_intact(f->block, f->usable = heap_usable(f->block), &f->size);
	} else if (kind == HEAP_DAMAGED) {
		describe_damage(f);
	}
}

/* Called by heap_entry.S. True: go on with the finding's registers. A damaged block needs no mending: it goes back to the allocator with whatever lies
 * behind it, as natively. */
__attribute__((used)) bool heap_found(struct guest_heap_finding *f, unsigned kind)
{
	uint64_t reply[2];
	describe(f, kind);
	f->r[REG_RAX] = 0;
	if (kind != HEAP_DAMAGED && act_on_heap_call(f->rip, f->r[REG_RSP], &f->rip))
		return true;
	if (!post_event(EVENT_HEAP, (uint64_t[]){(uint64_t)f, 0, 0, 0}, reply) || reply[0] != VERDICT_RESUME)
		return false;
	act_on_heap_call(f->rip, f->r[REG_RSP], &f->rip);
	return true;
}
