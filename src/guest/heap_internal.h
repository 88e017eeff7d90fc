/* What the heap's files share. */
#ifndef GUEST_HEAP_INTERNAL_H
#define GUEST_HEAP_INTERNAL_H

#include "guest/guest_internal.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* heap_map.c: the map entry of an address. NULL: there is no map (heap_entry_at), or none can be made (heap_entry_make). */
uint16_t *heap_entry_new(uint64_t p);

static inline uint64_t heap_unit(uint64_t p)
{
	return p >> HEAP_UNIT_BITS & (HEAP_MAP_UNITS - 1);
}

static inline uint16_t *heap_entry_at(uint64_t p)
{
	const uint64_t *directory = (const uint64_t *)__atomic_load_n(&guest_private.heap.directory, __ATOMIC_RELAXED);
	uint16_t *map = directory && p >> HEAP_REGION_BITS < HEAP_REGIONS ? (uint16_t *)directory[p >> HEAP_REGION_BITS] : NULL;
	return map ? map + heap_unit(p) : NULL;
}

static inline uint16_t *heap_entry_make(uint64_t p)
{
	uint16_t *entry = heap_entry_at(p);
	return LIKELY(entry) ? entry : heap_entry_new(p);
}

/* Where an entry's map keeps what the allocator said of the block's usable size, in words; 0: nothing. Not used where it can be read (HEAP_LAYOUT_GLIBC). */
static inline uint16_t *heap_kept_usable(uint16_t *entry)
{
	return entry + HEAP_MAP_UNITS;
}

static inline bool heap_is(uint16_t entry, uint64_t p, enum heap_state state)
{
	return (entry & HEAP_MARK_MASK) == heap_mark(p, state);
}

/* heap_map.c: numbers of allocation sites. There is a directory. */
uint16_t heap_site_number_new(uint64_t site, unsigned first);

static inline const uint64_t *heap_sites(void)
{
	return (const uint64_t *)guest_private.heap.directory + HEAP_REGIONS;
}

static inline uint16_t heap_site_number(uint64_t site)
{
	unsigned first = site * 0x9e3779b97f4a7c15ull >> (64 - HEAP_SITE_BITS);
	return LIKELY(heap_sites()[first] == site) ? first : heap_site_number_new(site, first);
}

static inline uint64_t heap_site_of(uint16_t entry)
{
	return heap_sites()[entry >> HEAP_MARK_BITS];
}

/* The start of the live block that holds an address which is not itself a block's; 0: none known. */
uint64_t heap_enclosing(uint64_t p);

/* The site stays. */
static inline void heap_set(uint16_t *entry, uint64_t p, enum heap_state state)
{
	__atomic_store_n(entry, (uint16_t)((*entry & ~HEAP_MARK_MASK) | heap_mark(p & ~15ull, state)), __ATOMIC_RELEASE);
}

static inline void heap_set_block(uint16_t *entry, uint64_t p, enum heap_state state, uint64_t site)
{
	__atomic_store_n(entry, (uint16_t)(heap_site_number(site) << HEAP_MARK_BITS | heap_mark(p, state)), __ATOMIC_RELEASE);
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
