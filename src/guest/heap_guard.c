/* Guarded blocks: those of armed allocation sites. Each has a mapping of its own
 *
 *     start                     block        block + size   end - 4096     end
 *     | the program's pages ...   | the program's | canary (< 16) | no access |
 *
 * so that the first access beyond it faults, at the instruction that makes it. Freed, the mapping stays for a while, without access. Bounded in number
 * and size; beyond that, blocks are as all others. */
#include "guest/heap_internal.h"

enum { NO_ACCESS = 0, READ = 1, READ_WRITE = 3, PRIVATE_ANONYMOUS = 0x22, PRIVATE_ANONYMOUS_UNRESERVED = 0x4022, PAGE = 4096 };

static bool failed(long result)
{
	return result < 0 && result > -4096;
}

static bool is_armed(uint64_t size, uint64_t site)
{
	uint32_t count = __atomic_load_n(&guest_tables.heap_site_count, __ATOMIC_ACQUIRE);
	uint64_t class = heap_class(size);
	for (uint32_t i = 0; i < count && i < HEAP_SITES_MAX; i++) {
		const struct guest_heap_site *s = &guest_tables.heap_site[i];
		if ((s->address == site || !s->address) && s->size_class == class)
			return true;
	}
	return false;
}

static struct guest_heap_slot *slots(void)
{
	return (struct guest_heap_slot *)__atomic_load_n(&guest_private.heap.slots, __ATOMIC_ACQUIRE);
}

static bool make_slots(void)
{
	uint64_t none = 0, size = HEAP_SLOTS * sizeof(struct guest_heap_slot);
	long at = SYS6(__NR_mmap, 0, size, READ_WRITE, PRIVATE_ANONYMOUS_UNRESERVED, -1, 0);
	if (failed(at))
		return false;
	if (!__atomic_compare_exchange_n(&guest_private.heap.slots, &none, (uint64_t)at, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		SYS2(__NR_munmap, at, size);
	return true;
}

static bool change_state(struct guest_heap_slot *s, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(&s->state, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static struct guest_heap_slot *take_slot(void)
{
	uint32_t first = guest_private.heap.next_slot;
	for (uint32_t i = 0; i < HEAP_SLOTS; i++) {
		struct guest_heap_slot *s = &slots()[(first + i) % HEAP_SLOTS];
		if (s->state == HEAP_SLOT_UNUSED && change_state(s, HEAP_SLOT_UNUSED, HEAP_SLOT_TAKEN)) {
			guest_private.heap.next_slot = (first + i + 1) % HEAP_SLOTS;
			return s;
		}
	}
	return NULL;
}

/* Gives the block that was freed longest ago back to the system. */
static bool end_quarantine(void)
{
	struct guest_heap_slot *oldest = NULL;
	uint32_t now = guest_private.heap.quarantined;
	for (uint32_t i = 0; i < HEAP_SLOTS; i++) {
		struct guest_heap_slot *s = &slots()[i];
		if (s->state == HEAP_SLOT_QUARANTINED && (!oldest || now - s->freed > now - oldest->freed))
			oldest = s;
	}
	if (!oldest || !change_state(oldest, HEAP_SLOT_QUARANTINED, HEAP_SLOT_TAKEN))
		return false;
	uint16_t *entry = heap_entry_at(oldest->block);
	uint64_t start = oldest->start, size = oldest->end - oldest->start;
	if (entry)
		heap_set(entry, oldest->block, HEAP_UNKNOWN);
	oldest->start = oldest->end = 0;
	__atomic_store_n(&oldest->state, HEAP_SLOT_UNUSED, __ATOMIC_RELEASE);
	SYS2(__NR_munmap, start, size);
	return true;
}

static bool map_block(struct guest_heap_slot *s, uint64_t size)
{
	uint64_t pages = size ? (size + PAGE - 1) & ~(PAGE - 1ull) : PAGE;
	long at = SYS6(__NR_mmap, 0, pages + PAGE, NO_ACCESS, PRIVATE_ANONYMOUS, -1, 0);
	if (failed(at))
		return false;
	if (SYS3(__NR_mprotect, at, pages, READ_WRITE)) {
		SYS2(__NR_munmap, at, pages + PAGE);
		return false;
	}
	s->start = at;
	s->end = at + pages + PAGE;
	s->block = (at + pages - (size ? size : 1)) & ~15ull;
	s->size = size;
	return true;
}

/* The bytes between the block and its guard page. */
static uint64_t gap_of(const struct guest_heap_slot *s)
{
	return s->end - PAGE - s->block - s->size;
}

bool heap_gap_intact(const struct guest_heap_slot *s)
{
	const uint8_t *gap = (const uint8_t *)s->block + s->size;
	for (uint64_t i = 0; i < gap_of(s); i++)
		if (gap[i] != (uint8_t)guest_tables.heap_canary)
			return false;
	return true;
}

void *heap_guard_allocate(uint64_t size, uint64_t site)
{
	if (size > HEAP_GUARDED_SIZE_MAX || !is_armed(size, site) || (!slots() && !make_slots()))
		return NULL;
	struct guest_heap_slot *s = take_slot();
	if (!s && end_quarantine())
		s = take_slot();
	if (!s)
		return NULL;
	uint16_t *entry = map_block(s, size) ? heap_entry_make(s->block) : NULL;
	if (!entry) {
		if (s->start)
			SYS2(__NR_munmap, s->start, s->end - s->start);
		s->start = s->end = 0;
		__atomic_store_n(&s->state, HEAP_SLOT_UNUSED, __ATOMIC_RELEASE);
		return NULL;
	}
	set_memory((void *)(s->block + size), (uint8_t)guest_tables.heap_canary, gap_of(s));
	s->site = site;
	s->free_site = 0;
	__atomic_store_n(&s->state, HEAP_SLOT_GUARDED, __ATOMIC_RELEASE);
	heap_set_block(entry, s->block, HEAP_GUARDED, site);
	return (void *)s->block;
}

struct guest_heap_slot *heap_guard_at(uint64_t address)
{
	struct guest_heap_slot *s = slots();
	for (uint32_t i = 0; s && i < HEAP_SLOTS; i++)
		if (address >= s[i].start && address < s[i].end && s[i].state >= HEAP_SLOT_GUARDED)
			return &s[i];
	return NULL;
}

struct guest_heap_slot *heap_guard_of(uint64_t p)
{
	struct guest_heap_slot *s = heap_guard_at(p);
	return s && s->block == p && s->state == HEAP_SLOT_GUARDED ? s : NULL;
}

bool heap_guard_free(uint64_t p, uint64_t site)
{
	struct guest_heap_slot *s = heap_guard_of(p);
	if (!s)
		return true;
	bool intact = heap_gap_intact(s);
	heap_set(heap_entry_at(p), p, HEAP_FREED);
	s->free_site = site;
	s->freed = __atomic_fetch_add(&guest_private.heap.quarantined, 1, __ATOMIC_RELAXED);
	SYS3(__NR_mprotect, s->start, s->end - s->start, NO_ACCESS);
	__atomic_store_n(&s->state, HEAP_SLOT_QUARANTINED, __ATOMIC_RELEASE);
	if (s->freed >= HEAP_QUARANTINE)
		end_quarantine();
	return intact;
}

bool heap_guards(uint64_t address)
{
	return heap_guard_at(address);
}

/* Reading a little beyond a block is common and natively harmless: that is let pass. */
bool heap_over_read(uint64_t address, bool is_write)
{
	struct guest_heap_slot *s = heap_guard_at(address);
	if (!s || is_write || s->state != HEAP_SLOT_GUARDED)
		return false;
	return !SYS3(__NR_mprotect, s->end - PAGE, PAGE, READ);
}

bool heap_open(uint64_t address)
{
	struct guest_heap_slot *s = heap_guard_at(address);
	return s && !SYS3(__NR_mprotect, s->start, s->end - s->start, READ_WRITE);
}
