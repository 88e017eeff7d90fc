/* What the heap's files share. */
#ifndef GUEST_HEAP_INTERNAL_H
#define GUEST_HEAP_INTERNAL_H

#include "guest/guest_internal.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* heap_map.c: the map byte of an address. NULL: there is no map (heap_mark_at), or none can be made (heap_mark_make). */
uint8_t *heap_mark_new(uint64_t p);

static inline uint64_t heap_unit(uint64_t p)
{
	return p >> HEAP_UNIT_BITS & (HEAP_MAP_UNITS - 1);
}

static inline uint8_t *heap_mark_at(uint64_t p)
{
	const uint64_t *directory = (const uint64_t *)__atomic_load_n(&guest_private.heap.directory, __ATOMIC_RELAXED);
	uint8_t *map = directory && p >> HEAP_REGION_BITS < HEAP_REGIONS ? (uint8_t *)directory[p >> HEAP_REGION_BITS] : NULL;
	return map ? map + heap_unit(p) : NULL;
}

static inline uint8_t *heap_mark_make(uint64_t p)
{
	uint8_t *mark = heap_mark_at(p);
	return LIKELY(mark) ? mark : heap_mark_new(p);
}

/* The address's word, of its byte. */
static inline uint32_t *heap_site_of(uint8_t *mark, uint64_t p)
{
	return (uint32_t *)(mark - heap_unit(p) + HEAP_MAP_UNITS) + heap_unit(p);
}

/* The start of the live block that holds an address which is not itself a block's; 0: none known. */
uint64_t heap_enclosing(uint64_t p);

static inline void heap_set(uint8_t *mark, uint64_t p, enum heap_state state)
{
	__atomic_store_n(mark, heap_mark(p, state), __ATOMIC_RELEASE);
}

static inline void heap_set_block(uint8_t *mark, uint64_t p, enum heap_state state, uint64_t site)
{
	*heap_site_of(mark, p) = (uint32_t)site;
	heap_set(mark, p, state);
}

/* heap.c: the allocator's view of a block of ours. */
uint64_t heap_usable(uint64_t p);
/* Size as the program asked for it; false: the canary is damaged (*size is ~0 if it can't be told). */
bool heap_intact(uint64_t p, uint64_t usable, uint64_t *size);

/* heap_guard.c: blocks in front of an inaccessible page. */
void *heap_guard_allocate(uint64_t size, uint64_t site); /* NULL: nothing wants that, or there is no room: allocate normally */
bool heap_guard_free(uint64_t p, uint64_t site);         /* false: bytes between it and the page's end were written */
struct guest_heap_slot *heap_guard_of(uint64_t p);       /* the slot of a guarded block; NULL: none */
struct guest_heap_slot *heap_guard_at(uint64_t address); /* the slot whose mapping holds an address */
bool heap_gap_intact(const struct guest_heap_slot *s);

#endif
