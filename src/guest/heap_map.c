/* The allocation map: which addresses are blocks. Written without locks: plain stores for what one thread owns, compare-and-swap for what several may
 * make at once. Includes nothing that a signal handler, or a vforked child, could not interrupt or repeat. */
#include "guest/heap_check.h"
#include "guest/heap_internal.h"

enum { READ_WRITE = 3, PRIVATE_ANONYMOUS_UNRESERVED = 0x4022, LOOK_BACK = 128 /* units: 4 KB */, TRIES = 16 };

static uint64_t map_memory(uint64_t size)
{
	long at = SYS6(__NR_mmap, 0, size, READ_WRITE, PRIVATE_ANONYMOUS_UNRESERVED, -1, 0);
	return at < 0 && at > -4096 ? 0 : (uint64_t)at;
}

/* Memory that several threads may be making at once; the first one's counts. */
static uint64_t make_once(uint64_t *where, uint64_t size, bool *mine)
{
	uint64_t there = 0, made = map_memory(size);
	*mine = made && __atomic_compare_exchange_n(where, &there, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	if (made && !*mine)
		SYS2(__NR_munmap, made, size);
	return *mine ? made : there;
}

uint16_t *heap_entry_new(uint64_t p)
{
	bool mine;
	uint64_t number = p >> HEAP_REGION_BITS;
	struct guest_heap *h = &guest_private.heap;
	if (number >= HEAP_REGIONS || (!h->directory && !make_once(&h->directory, HEAP_DIRECTORY_SIZE, &mine)))
		return NULL;
	if (!make_once((uint64_t *)h->directory + number, HEAP_MAP_SIZE, &mine))
		return NULL;
	if (mine) {
		uint32_t at = __atomic_fetch_add(&h->region_count, 1, __ATOMIC_RELAXED);
		if (at < HEAP_REGION_LIST)
			__atomic_store_n(&h->region[at], number, __ATOMIC_RELEASE);
	}
	return heap_entry_at(p);
}

/* The next free number, from where its hash leads; given once, it stays. */
uint16_t heap_site_number_new(uint64_t site, unsigned first)
{
	for (unsigned i = 0; i < TRIES; i++) {
		unsigned number = (first + i) % HEAP_SITE_NUMBERS;
		uint64_t there = 0, *at = (uint64_t *)heap_sites() + number;
		if (number && (*at == site || __atomic_compare_exchange_n(at, &there, site, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED) || there == site))
			return number;
	}
	return 0;
}

void heap_prepare(void)
{
	enum { AHEAD = 1 << 25 };
	if (!guest_tables.heap_enabled || guest_private.heap.directory)
		return;
	uint64_t heap_end = SYS1(__NR_brk, 0);
	heap_entry_make(heap_end);
	heap_entry_make(heap_end + AHEAD);
	if (guest_tables.heap_checks)
		check_prepare(heap_end, AHEAD);
}

uint64_t heap_enclosing(uint64_t p)
{
	const uint16_t *entry = heap_entry_at(p);
	uint64_t unit = p >> HEAP_UNIT_BITS, size;
	for (uint64_t n = 0; entry && n <= heap_unit(p) && n < LOOK_BACK; n++) {
		uint16_t e = *(entry - n);
		uint64_t block = heap_block_of((unit - n) << HEAP_UNIT_BITS, e);
		if (!(e & HEAP_STATE_MASK) || block >= p)
			continue;
		if ((e & HEAP_STATE_MASK) != HEAP_LIVE)
			return 0;
		return heap_intact(block, heap_usable(block), &size) && p - block < size ? block : 0;
	}
	return 0;
}
