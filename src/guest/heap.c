/* The heap monitor's wrappers of the allocator's procedures: a canary and a trailer behind every block, and a map that says what is a block (layouts in
 * clearview/guest.h). They are what the procedures' entries lead to; the woven copies of the procedures themselves are in
 * guest_tables.original[].
 *
 * An original may come back to an entry: glibc's memalign calls malloc for small alignments, its realloc calls malloc and free for mapped chunks,
 * other allocators do likewise. That does no harm, for wrapping is idempotent: the trailer lies at the end of what the allocator says is usable, so the
 * outer wrapper writes it where the inner one did; and a block that is being moved is marked so (HEAP_MOVING), which free lets pass.
 *
 * The fast paths make no system call, take no lock and touch no memory but the block's ends, the map's entry and the tables; what is rare is kept out of
 * them, in functions of its own that they end in, so that they have no registers to save. */
#include "guest/heap_check.h"
#include "guest/heap_internal.h"

/* The frame pointer leads the stack walk from the allocator through here to its caller. */
#pragma GCC optimize("no-omit-frame-pointer")

#define CALLER ((uint64_t)__builtin_return_address(0))
#define ORIGINAL(entry) guest_tables.original[(entry) - ENTRY_MALLOC]

typedef uint64_t original1(uint64_t), original2(uint64_t, uint64_t), original3(uint64_t, uint64_t, uint64_t);

_Static_assert(offsetof(struct guest_tables, original) + 8 * (ENTRY_FREE - ENTRY_MALLOC) == 0x3120, "heap_entry.S jumps there");

static inline uint64_t load(uint64_t at)
{
	return *(const uint64_t *)at;
}

static inline void store(uint64_t at, uint64_t value)
{
	*(uint64_t *)at = value;
}

/* Asking takes long, and one block is asked about again and again. What was answered is kept in the block's map; a block fresh from the allocator is asked
 * about anew, and only live ones are looked up, so what is there is true. */
static __attribute__((noinline)) uint64_t ask_usable(uint64_t p, uint16_t *entry)
{
	uint64_t usable = ((original1 *)ORIGINAL(ENTRY_USABLE_SIZE))(p) & ~7ull;
	if (entry)
		*heap_kept_usable(entry) = usable >> 3 <= UINT16_MAX ? usable >> 3 : 0;
	return usable;
}

static inline bool is_glibc(void)
{
	return LIKELY(guest_tables.heap_layout == HEAP_LAYOUT_GLIBC);
}

/* False: the block is mapped by itself. */
static inline bool glibc_usable(uint64_t p, uint64_t *usable)
{
	uint64_t head = load(p - 8);
	*usable = (head & ~7ull) - 8;
	return LIKELY(!(head & 2));
}

static inline bool kept_usable(uint16_t *entry, uint64_t *usable)
{
	*usable = (uint64_t)*heap_kept_usable(entry) << 3;
	return *usable;
}

/* entry: the block's, which is live. */
static inline uint64_t usable_of(uint64_t p, uint16_t *entry)
{
	uint64_t usable;
	if (is_glibc())
		return heap_glibc_usable(load(p - 8));
	return kept_usable(entry, &usable) ? usable : ask_usable(p, entry);
}

uint64_t heap_usable(uint64_t p)
{
	return is_glibc() ? heap_glibc_usable(load(p - 8)) : ask_usable(p, NULL);
}

/* Freed, the block's memory goes back to the kernel at once. */
static inline bool goes_back(uint64_t p)
{
	return !is_glibc() || load(p - 8) & 2;
}

/* What to ask the allocator for: whole words. */
static inline uint64_t request(uint64_t size)
{
	uint64_t needed = (size + 7 + HEAP_TRAILER) & ~7ull;
	return needed < HEAP_REQUEST_MIN ? HEAP_REQUEST_MIN : needed;
}

static inline bool beyond_us(uint64_t size)
{
	return UNLIKELY(!guest_tables.heap_enabled || size > HEAP_SIZE_MAX);
}

/* --- Canaries. The first word of the gap may begin with the program's last bytes. All are aligned words, so that what is read soon after it was written
 * is found in the processor's store buffer. */

static inline uint64_t gap_mask(uint64_t size)
{
	return ~0ull << 8 * (size & 7);
}

static inline uint64_t gap_start(uint64_t p, uint64_t size)
{
	return (p + size) & ~7ull;
}

static inline void write_canary(uint64_t p, uint64_t size, uint64_t usable)
{
	uint64_t end = p + usable - HEAP_TRAILER, at = gap_start(p, size), stop = heap_canary_end(p, size, end), canary = guest_tables.heap_canary, mask = gap_mask(size);
	if (at < end)
		store(at, (load(at) & ~mask) | (canary & mask));
	while ((at += 8) < stop)
		store(at, canary);
	store(end, heap_trailer(p, size, guest_tables.heap_secret));
}

static inline bool canary_intact(uint64_t p, uint64_t size, uint64_t usable)
{
	uint64_t end = p + usable - HEAP_TRAILER, at = gap_start(p, size), stop = heap_canary_end(p, size, end), canary = guest_tables.heap_canary;
	if (at < end && (load(at) ^ canary) & gap_mask(size))
		return false;
	while ((at += 8) < stop)
		if (load(at) != canary)
			return false;
	return true;
}

/* A damaged head may say that the trailer is where nothing is: that reads as 0. In the block's own page there is something. */
static inline bool is_near(uint64_t p, uint64_t at)
{
	enum { PAGE = 4096 };
	return LIKELY((p ^ at) < PAGE);
}

static inline uint64_t read_end(uint64_t p, uint64_t at)
{
	return is_near(p, at) ? load(at) : do_read8(at).value;
}

static inline bool is_possible(uint64_t usable)
{
	return LIKELY(usable - HEAP_REQUEST_MIN <= HEAP_SIZE_MAX - HEAP_REQUEST_MIN);
}

/* Size of a block with such a trailer. */
static inline bool read_size(uint64_t p, uint64_t usable, uint64_t trailer, uint64_t *size)
{
	*size = heap_trailer_size(p, trailer, guest_tables.heap_secret);
	return *size <= usable - HEAP_TRAILER;
}

bool heap_intact(uint64_t p, uint64_t usable, uint64_t *size)
{
	if (!is_possible(usable) || !read_size(p, usable, read_end(p, p + usable - HEAP_TRAILER), size)) {
		*size = ~0ull;
		return false;
	}
	return canary_intact(p, *size, usable);
}

/* --- Allocation. */

static inline bool has_room(uint64_t p, uint64_t size, uint64_t usable)
{
	return usable >= size + HEAP_TRAILER && usable >= HEAP_REQUEST_MIN && !(p & 15);
}

/* A block fresh from the allocator (p 0: it had none). */
static __attribute__((noinline)) uint64_t finish(uint64_t p, uint64_t size, uint64_t site)
{
	uint16_t *entry = p ? heap_entry_make(p) : NULL;
	if (!entry)
		return p;
	uint64_t usable = is_glibc() ? heap_glibc_usable(load(p - 8)) : ask_usable(p, entry);
	if (!has_room(p, size, usable)) {
		if (guest_tables.heap_checks)
			check_forget(p, usable);
		heap_set(entry, p, HEAP_UNKNOWN);
		return p;
	}
	write_canary(p, size, usable);
	if (guest_tables.heap_checks)
		check_block_live(p, size, usable);
	heap_set_block(entry, p, HEAP_LIVE, site);
	return p;
}

/* The same for most blocks of glibc's, which are hardly larger than what was asked for. */
static inline __attribute__((always_inline)) uint64_t finish_glibc(uint64_t p, uint64_t size, uint64_t site)
{
	uint64_t usable;
	uint16_t *entry = heap_entry_at(p);
	if (UNLIKELY(!entry) || !glibc_usable(p, &usable) || UNLIKELY(usable - HEAP_TRAILER - size >= HEAP_CANARY_MAX))
		return finish(p, size, site);
	write_canary(p, size, usable);
	heap_set_block(entry, p, HEAP_LIVE, site);
	return p;
}

static inline uint64_t guarded(uint64_t size, uint64_t site)
{
	return UNLIKELY(guest_tables.heap_site_count && !guest_private.heap.closed) ? (uint64_t)heap_guard_allocate(size, site) : 0;
}

static inline uint64_t allocate(uint64_t size, uint64_t site)
{
	uint64_t p = guarded(size, site);
	return p ? p : finish(((original1 *)ORIGINAL(ENTRY_MALLOC))(request(size)), size, site);
}

static __attribute__((noinline)) uint64_t malloc_slow(uint64_t size, uint64_t site)
{
	return beyond_us(size) ? ((original1 *)ORIGINAL(ENTRY_MALLOC))(size) : allocate(size, site);
}

__attribute__((used)) uint64_t entry_malloc(uint64_t size)
{
	if (UNLIKELY(guest_tables.heap_plain != HEAP_LAYOUT_GLIBC) || UNLIKELY(size > HEAP_SIZE_MAX))
		return malloc_slow(size, CALLER);
	return finish_glibc(((original1 *)ORIGINAL(ENTRY_MALLOC))(request(size)), size, CALLER);
}

/* The allocator's own clearing and copying would be checked, too, on memory that is nobody's yet. Where there is little to clear or copy it is done here. */
enum { CHECKED_MAX = 1 << 18 };

static uint64_t clear(uint64_t p, uint64_t size)
{
	if (p)
		set_memory((void *)p, 0, size);
	return p;
}

__attribute__((used)) uint64_t entry_calloc(uint64_t count, uint64_t each)
{
	uint64_t size;
	original2 *original = (original2 *)ORIGINAL(ENTRY_CALLOC);
	if (UNLIKELY(__builtin_mul_overflow(count, each, &size)) || beyond_us(size))
		return original(count, each);
	if (UNLIKELY(guest_tables.heap_checks && size < CHECKED_MAX))
		return clear(allocate(size, CALLER), size);
	uint64_t p = guarded(size, CALLER);
	return p ? p : finish(original(1, request(size)), size, CALLER);
}

static inline uint64_t aligned(original2 *original, uint64_t alignment, uint64_t size, uint64_t site)
{
	if (beyond_us(size))
		return original(alignment, size);
	uint64_t p = alignment <= 16 ? guarded(size, site) : 0;
	return p ? p : finish(original(alignment, request(size)), size, site);
}

__attribute__((used)) uint64_t entry_memalign(uint64_t alignment, uint64_t size)
{
	return aligned((original2 *)ORIGINAL(ENTRY_MEMALIGN), alignment, size, CALLER);
}

__attribute__((used)) uint64_t entry_aligned_alloc(uint64_t alignment, uint64_t size)
{
	return aligned((original2 *)ORIGINAL(ENTRY_ALIGNED_ALLOC), alignment, size, CALLER);
}

__attribute__((used)) int entry_posix_memalign(uint64_t *out, uint64_t alignment, uint64_t size)
{
	original3 *original = (original3 *)ORIGINAL(ENTRY_POSIX_MEMALIGN);
	if (beyond_us(size))
		return (int)original((uint64_t)out, alignment, size);
	int status = (int)original((uint64_t)out, alignment, request(size));
	if (!status)
		finish(*out, size, CALLER);
	return status;
}

static inline uint64_t by_page(original1 *original, uint64_t size, uint64_t site)
{
	return beyond_us(size) ? original(size) : finish(original(request(size)), size, site);
}

__attribute__((used)) uint64_t entry_valloc(uint64_t size)
{
	return by_page((original1 *)ORIGINAL(ENTRY_VALLOC), size, CALLER);
}

/* Its size is a whole number of pages. */
__attribute__((used)) uint64_t entry_pvalloc(uint64_t size)
{
	return by_page((original1 *)ORIGINAL(ENTRY_PVALLOC), size > HEAP_SIZE_MAX ? size : (size + 4095) & ~4095ull, CALLER);
}

__attribute__((used)) uint64_t entry_usable_size(uint64_t p)
{
	uint64_t size;
	uint16_t *entry = p && guest_tables.heap_enabled ? heap_entry_at(p) : NULL;
	struct guest_heap_slot *slot = entry && heap_is(*entry, p, HEAP_GUARDED) ? heap_guard_of(p) : NULL;
	if (slot)
		return slot->size;
	if (!entry || !heap_is(*entry, p, HEAP_LIVE))
		return ((original1 *)ORIGINAL(ENTRY_USABLE_SIZE))(p);
	uint64_t usable = usable_of(p, entry); /* some programs ask all the time: whether the canary is intact is for free to see */
	bool is_known = is_possible(usable) && read_size(p, usable, read_end(p, p + usable - HEAP_TRAILER), &size);
	return is_known ? size : usable - HEAP_TRAILER;
}

/* --- Release. entry_free and entry_realloc (heap_entry.S) come here first. 0: go on to heap_free_on or heap_realloc; 1: done, return; else an enum
 * heap_finding_kind. next: HEAP_FREED or HEAP_MOVING. */

/* The allocator itself calls free by a direct call, all others through the dynamic linker's indirection. Its own doing (glibc frees, at the end of a
 * thread, what the thread has freed and kept) says nothing about the program's. In a static program all calls are direct: there the allocator's own checks of
 * double frees have to do. */
static bool is_allocators_own(uint64_t caller)
{
	enum { CALL = 0xe8, CALL_SIZE = 5 };
	uint64_t to = caller + *(const int32_t *)(caller - 4), reply[2];
	if (*(const uint8_t *)(caller - CALL_SIZE) != CALL)
		return false;
	if (to == guest_tables.heap_free || to == guest_private.heap.free_gate)
		return true;
	/* Led straight to a copy? */
	if (!in_copies(to) || !post_event(EVENT_ORIGINAL, (uint64_t[]){to, 0, 0, 0}, reply) || reply[0] != guest_tables.heap_free)
		return false;
	guest_private.heap.free_gate = to;
	return true;
}

static unsigned release_other(uint64_t p, uint16_t entry, unsigned next, uint64_t caller)
{
	if (heap_is(entry, p, HEAP_FREED))
		return is_allocators_own(caller) ? 0 : HEAP_FREED_TWICE;
	if (heap_is(entry, p, HEAP_MOVING))
		return 0;
	if (heap_is(entry, p, HEAP_GUARDED) && next == HEAP_FREED)
		return heap_guard_free(p, caller) ? 1 : HEAP_DAMAGED;
	if (heap_is(entry, p, HEAP_GUARDED))
		return 0;
	return !is_allocators_own(caller) && heap_enclosing(p) ? HEAP_FREED_INSIDE : 0;
}

static __attribute__((noinline)) unsigned release_slow(uint64_t p, unsigned next, uint64_t caller)
{
	uint64_t size;
	uint16_t *entry = p && guest_tables.heap_enabled ? heap_entry_at(p) : NULL;
	if (!entry)
		return 0;
	if (!heap_is(*entry, p, HEAP_LIVE))
		return release_other(p, *entry, next, caller);
	uint64_t usable = usable_of(p, entry);
	bool is_intact = heap_intact(p, usable, &size);
	if (guest_tables.heap_checks && next == HEAP_FREED)
		check_block_freed(p, usable, goes_back(p));
	heap_set(entry, p, next);
	return is_intact ? 0 : HEAP_DAMAGED;
}

/* An intact block whose end lies in the page that it begins in, and nothing else to be done. What a damaged head says may be anything: a size below a
 * page's is one that was read from a trailer. An address inside a block finds none. */
static inline bool release_quick(uint64_t p, unsigned next)
{
	enum { PAGE = 4096 };
	uint64_t usable;
	uint32_t layout = guest_tables.heap_plain;
	uint16_t *entry = LIKELY(layout) ? heap_entry_at(p) : NULL;
	if (UNLIKELY(!entry) || UNLIKELY((*entry & HEAP_MARK_MASK) != ((p >> 1 & 8) | HEAP_LIVE)))
		return false;
	if (LIKELY(layout == HEAP_LAYOUT_GLIBC) ? !glibc_usable(p, &usable) : !kept_usable(entry, &usable))
		return false;
	uint64_t end = p + usable - HEAP_TRAILER;
	if (!is_near(p, end))
		return false;
	uint64_t size = heap_trailer_size(p, load(end), guest_tables.heap_secret);
	if (UNLIKELY(size > (end - p) % PAGE) || UNLIKELY(!canary_intact(p, size, usable)))
		return false;
	__atomic_store_n(entry, (uint16_t)(*entry + next - HEAP_LIVE), __ATOMIC_RELEASE);
	return true;
}

__attribute__((used)) unsigned heap_release(uint64_t p, unsigned next, uint64_t caller)
{
	return LIKELY(release_quick(p, next)) ? 0 : release_slow(p, next, caller);
}

/* A guarded block that heap_release found damaged is free already. */
__attribute__((used)) void heap_free_on(uint64_t p)
{
	if (UNLIKELY(guest_tables.heap_site_count) && heap_guard_at(p))
		return;
	((original1 *)ORIGINAL(ENTRY_FREE))(p);
}

static uint64_t move(uint64_t p, uint64_t old_size, uint64_t to, uint64_t size)
{
	if (to)
		copy_memory((void *)to, (const void *)p, old_size < size ? old_size : size);
	return to;
}

static uint64_t guarded_realloc(struct guest_heap_slot *slot, uint64_t p, uint64_t size, uint64_t site)
{
	uint64_t to = size ? move(p, slot->size, allocate(size, site), size) : 0;
	if (to || !size)
		heap_guard_free(p, site);
	return to;
}

static void released_by_move(uint64_t p, uint16_t *entry, uint64_t usable)
{
	if (guest_tables.heap_checks)
		check_block_freed(p, usable, goes_back(p));
	heap_set(entry, p, HEAP_FREED);
	((original1 *)ORIGINAL(ENTRY_FREE))(p);
}

/* The block goes to an armed site; or, where writes are checked, to wherever the allocator has room. */
static uint64_t realloc_by_copy(uint64_t p, uint16_t *entry, uint64_t size, uint64_t site)
{
	uint64_t usable = usable_of(p, entry);
	bool checked = guest_tables.heap_checks && size < CHECKED_MAX && usable < CHECKED_MAX;
	if (checked && request(size) <= usable && size >= usable / 2)
		return finish(p, size, site);
	uint64_t to = move(p, usable - HEAP_TRAILER, checked ? allocate(size, site) : guarded(size, site), size);
	if (to)
		released_by_move(p, entry, usable);
	return to;
}

__attribute__((used)) uint64_t heap_realloc(uint64_t p, uint64_t size)
{
	original2 *original = (original2 *)ORIGINAL(ENTRY_REALLOC);
	uint16_t *entry = p && guest_tables.heap_enabled ? heap_entry_at(p) : NULL, was = entry ? *entry : HEAP_UNKNOWN;
	struct guest_heap_slot *slot = heap_is(was, p, HEAP_GUARDED) ? heap_guard_of(p) : NULL;
	bool ours = heap_is(was, p, HEAP_MOVING), too_large = beyond_us(size);
	if (slot && too_large)
		return ((original1 *)ORIGINAL(ENTRY_MALLOC))(size); /* says no as it does natively */
	if (slot)
		return guarded_realloc(slot, p, size, CALLER);
	if (!p && !too_large)
		return allocate(size, CALLER);
	uint64_t to = ours && size && !too_large ? realloc_by_copy(p, entry, size, CALLER) : 0;
	if (to)
		return to;
	to = original(p, too_large || (!size && p) ? size : request(size));
	if (ours && to != p) {
		/* Moved, or freed, or it stays as it was. If somebody else has the address by now, the entry is theirs. */
		uint16_t after = (was & ~HEAP_MARK_MASK) | heap_mark(p, to || !size ? HEAP_FREED : HEAP_LIVE);
		__atomic_compare_exchange_n(entry, &was, after, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	}
	if (to && (too_large || !size)) {
		uint16_t *fresh = heap_entry_at(to);
		if (fresh)
			heap_set(fresh, to, HEAP_UNKNOWN);
		return to;
	}
	return finish(to, size, CALLER);
}
