#include "monitor/heap_scan.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/vec.h"
#include "inject/memory.h"

enum {
	PAGE = 4096,
	PAGE_ENTRIES = PAGE / sizeof(uint16_t),
	MAP_PAGES = HEAP_MAP_UNITS / PAGE_ENTRIES,
	COVERED = PAGE_ENTRIES << HEAP_UNIT_BITS, /* bytes of heap that a page of a map is about */
	SUSPECTS_MAX = 256,
};

/* A block that doesn't look right, and all that has to be the same when it is looked at again. */
struct suspect {
	uint64_t block;
	uint16_t entry;
	uint64_t head, trailer;
	uint64_t address; /* of the damage */
	bool told;
};

struct heap_scan {
	pid_t pid;
	uint64_t heap;
	uint32_t region, page; /* where to go on */
	VEC(struct suspect) suspects;
	uint8_t piece[COVERED + 8]; /* the heap from piece_at on */
	uint64_t piece_at;
	size_t piece_size;
};

struct heap_scan *heap_scan_new(pid_t pid, uint64_t heap)
{
	struct heap_scan *s = calloc(1, sizeof *s);
	if (!s)
		abort();
	s->pid = pid;
	s->heap = heap;
	return s;
}

void heap_scan_free(struct heap_scan *s)
{
	if (s)
		vec_free(&s->suspects);
	free(s);
}

pid_t heap_scan_pid(const struct heap_scan *s)
{
	return s->pid;
}

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ll + t.tv_nsec / 1000;
}

/* From the piece where it is in it, else from the process. */
static bool look(const struct heap_scan *s, bool fresh, uint64_t at, void *out, size_t size)
{
	if (fresh || at < s->piece_at || at + size > s->piece_at + s->piece_size)
		return !memory_read_all(s->pid, at, out, size);
	memcpy(out, s->piece + (at - s->piece_at), size);
	return true;
}

/* The first byte of the canary that isn't as it was; the gap's end if all are. */
static uint64_t first_damage(const struct heap_scan *s, bool fresh, const struct guest_tables *t, uint64_t block, uint64_t size, uint64_t to)
{
	uint8_t gap[HEAP_CANARY_MAX];
	uint64_t from = block + size;
	size_t length = heap_canary_end(block, size, to) - from, i = 0;
	if (!look(s, fresh, from, gap, length))
		return to;
	while (i < length && gap[i] == (uint8_t)t->heap_canary)
		i++;
	return i < length ? from + i : to;
}

/* True: the block is damaged, and *found says how it looks. */
static bool examine(const struct heap_scan *s, bool fresh, const struct guest_tables *t, uint64_t block, struct suspect *found)
{
	found->block = block;
	if (!look(s, fresh, block - 8, &found->head, 8))
		return false;
	uint64_t usable = heap_glibc_usable(found->head), end = block + usable - HEAP_TRAILER;
	if (usable < HEAP_REQUEST_MIN || usable > HEAP_SIZE_MAX)
		return false; /* the damage is of the block before this one, and found there */
	if (!look(s, fresh, end, &found->trailer, 8))
		return false;
	found->address = end;
	uint64_t size = heap_trailer_size(block, found->trailer, t->heap_secret);
	if (size > usable - HEAP_TRAILER)
		return true;
	found->address = first_damage(s, fresh, t, block, size, end);
	return found->address != end;
}

static bool same(const struct suspect *a, const struct suspect *b)
{
	return a->entry == b->entry && a->head == b->head && a->trailer == b->trailer && a->address == b->address;
}

static bool is_live(uint16_t entry)
{
	return (entry & HEAP_STATE_MASK) == HEAP_LIVE;
}

static uint64_t entry_address(uint64_t map, uint64_t p)
{
	return map + (p >> HEAP_UNIT_BITS & (HEAP_MAP_UNITS - 1)) * sizeof(uint16_t);
}

/* From the process, not from what was read of it before. map: guest address of the block's map. */
static bool look_again(const struct heap_scan *s, const struct guest_tables *t, uint64_t map, uint64_t block, struct suspect *out)
{
	return examine(s, true, t, block, out) && !memory_read_all(s->pid, entry_address(map, block), &out->entry, sizeof out->entry) &&
	       (out->entry & HEAP_MARK_MASK) == heap_mark(block, HEAP_LIVE);
}

static void suspect(struct heap_scan *s, const struct suspect *what)
{
	if (s->suspects.count >= SUSPECTS_MAX)
		return;
	for (size_t i = 0; i < s->suspects.count; i++)
		if (s->suspects.at[i].block == what->block)
			return;
	vec_push(&s->suspects, *what);
}

static void scan_page(struct heap_scan *s, const struct guest_tables *t, uint64_t map, uint64_t covered_from)
{
	uint16_t entries[PAGE_ENTRIES];
	bool have_piece = false;
	if (memory_read_all(s->pid, entry_address(map, covered_from), entries, sizeof entries))
		return;
	for (unsigned i = 0; i < PAGE_ENTRIES; i++) {
		struct suspect first = {0}, second = {0};
		if (!is_live(entries[i]) || s->suspects.count >= SUSPECTS_MAX)
			continue;
		uint64_t block = heap_block_of(covered_from + ((uint64_t)i << HEAP_UNIT_BITS), entries[i]);
		if (!have_piece) {
			s->piece_at = block - 8; /* before it there may be nothing to read */
			s->piece_size = memory_read(s->pid, s->piece_at, s->piece, covered_from + COVERED - s->piece_at);
			have_piece = true;
		}
		if (examine(s, false, t, block, &first) && look_again(s, t, map, block, &second))
			suspect(s, &second);
	}
}

/* Which of the map's pages have ever been written. */
static void touched(pid_t pid, uint64_t map, uint8_t out[MAP_PAGES])
{
	static uint64_t entries[MAP_PAGES];
	char name[32];
	snprintf(name, sizeof name, "/proc/%d/pagemap", pid);
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : pread(fd, entries, sizeof entries, map / PAGE * 8);
	if (fd >= 0)
		close(fd);
	for (unsigned i = 0; i < MAP_PAGES; i++)
		out[i] = got != sizeof entries || entries[i] >> 62; /* present, or swapped out */
}

struct head {
	uint64_t directory;
	uint32_t count;
	uint32_t region[HEAP_REGION_LIST];
};

static bool read_head(const struct heap_scan *s, struct head *out)
{
	struct guest_heap h;
	if (memory_read_all(s->pid, s->heap, &h, sizeof h) || !h.directory)
		return false;
	out->directory = h.directory;
	out->count = h.region_count < HEAP_REGION_LIST ? h.region_count : HEAP_REGION_LIST;
	memcpy(out->region, h.region, sizeof out->region);
	return out->count;
}

/* True when the budget is used up. */
static bool scan_region(struct heap_scan *s, const struct guest_tables *t, const struct head *h, int64_t end_us)
{
	uint8_t used[MAP_PAGES];
	uint64_t map = 0, number = h->region[s->region];
	if (!number || number >= HEAP_REGIONS || memory_read_all(s->pid, h->directory + number * 8, &map, 8) || !map)
		return false;
	touched(s->pid, map, used);
	for (; s->page < MAP_PAGES; s->page++) {
		if (!used[s->page])
			continue;
		if (now_us() >= end_us)
			return true;
		scan_page(s, t, map, (number << HEAP_REGION_BITS) + (uint64_t)s->page * COVERED);
	}
	return false;
}

static void go_around(struct heap_scan *s, const struct guest_tables *t, const struct head *h, int64_t end_us)
{
	for (uint32_t n = 0; n < h->count; n++) {
		if (s->region >= h->count)
			s->region = s->page = 0;
		if (now_us() >= end_us || scan_region(s, t, h, end_us))
			return;
		s->region++;
		s->page = 0;
	}
}

/* 0: unknown. */
static uint64_t site_of(const struct heap_scan *s, const struct head *h, uint16_t entry)
{
	uint64_t site;
	return memory_read_all(s->pid, h->directory + (HEAP_REGIONS + (entry >> HEAP_MARK_BITS)) * 8ul, &site, sizeof site) ? 0 : site;
}

static void tell(const struct suspect *s, const struct guest_tables *t, uint64_t site, struct guest_heap_finding *out)
{
	*out = (struct guest_heap_finding){.kind = HEAP_DAMAGED, .block = s->block, .usable = heap_glibc_usable(s->head), .address = s->address,
					   .site = site};
	out->size = heap_trailer_size(s->block, s->trailer, t->heap_secret);
	if (out->size > out->usable - HEAP_TRAILER)
		out->size = ~0ull;
}

/* What was suspicious at the last call and has not changed is damaged; what has was the program's doing. */
static unsigned confirm(struct heap_scan *s, const struct guest_tables *t, const struct head *h, struct guest_heap_finding *out, unsigned max)
{
	unsigned found = 0;
	size_t kept = 0;
	for (size_t i = 0; i < s->suspects.count; i++) {
		struct suspect was = s->suspects.at[i], is = {0};
		uint64_t map = 0;
		bool has_map = !memory_read_all(s->pid, h->directory + (was.block >> HEAP_REGION_BITS) * 8, &map, 8) && map;
		if (!has_map || !look_again(s, t, map, was.block, &is) || !same(&was, &is))
			continue;
		if (!was.told && found < max) {
			tell(&is, t, site_of(s, h, is.entry), &out[found++]);
			was.told = true;
		}
		s->suspects.at[kept++] = was;
	}
	s->suspects.count = kept;
	return found;
}

unsigned heap_scan_step(struct heap_scan *s, const struct guest_tables *t, int64_t budget_us, struct guest_heap_finding *out, unsigned max)
{
	static struct head h;
	if (t->heap_layout != HEAP_LAYOUT_GLIBC || !read_head(s, &h))
		return 0;
	unsigned found = confirm(s, t, &h, out, max);
	go_around(s, t, &h, now_us() + budget_us);
	return found;
}

bool heap_scan_has_told(const struct heap_scan *s, uint64_t block)
{
	for (size_t i = 0; i < s->suspects.count; i++)
		if (s->suspects.at[i].block == block && s->suspects.at[i].told)
			return true;
	return false;
}
