#include "engine/zone.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MB (1ul << 20)
#define APART (6 * MB) /* libraries larger than 2 MB lie at distances from each other that vary by as much from run to run, and what lies behind several by more */
enum { HOP_SIZE = 5, PAGE = 4096, USELESS = 64 /* bytes: no copy fits in */ };

/* One byte in and out, insb/outsb, hlt, cli, sti (all #GP in user mode); int3; opcodes that 64-bit mode took out. Left out, because they mean something
 * or may yet: 62, c4, c5, d5 (prefixes), d6, f1, and cd, cf. */
static const uint8_t trap_bytes[] = {0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x6c, 0x6d, 0x6e, 0x6f, 0x82,
				     0x9a, 0xcc, 0xce, 0xd4, 0xe4, 0xe5, 0xe6, 0xe7, 0xea, 0xec, 0xed, 0xee, 0xef, 0xf4, 0xfa, 0xfb};

bool is_trap_byte(uint8_t byte)
{
	return memchr(trap_bytes, byte, sizeof trap_bytes);
}

bool zone_below(uint64_t anchor, uint64_t *start)
{
	*start = (anchor & ~0xffful) - 320 * MB;
	return anchor > 400 * MB;
}

bool zone_above(uint64_t anchor, uint64_t *start)
{
	*start = (anchor & ~0xffful) + 1536 * MB;
	return true;
}

void zone_init(struct zone *z, uint64_t start, bool above, uint8_t *host)
{
	*z = (struct zone){.start = start, .host = host, .spare = 4 * MB};
	if (above) {
		z->hop_start = start;
		z->hop_end = start + 192 * MB;
		z->copies[0].next = z->hop_end;
		z->copies[0].end = start + ZONE_SIZE;
	} else {
		z->copies[1].next = start;
		z->copies[1].end = start + 64 * MB;
		z->hop_start = start + 64 * MB;
		z->hop_end = start + 224 * MB;
		z->copies[0].next = z->hop_end;
		z->copies[0].end = start + ZONE_SIZE;
	}
	/* Pages of their own: few are ever touched, and from the heap all would have to be cleared. */
	z->hop_used = mmap(NULL, (z->hop_end - z->hop_start) / 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (z->hop_used == MAP_FAILED)
		abort();
}

void zone_release(struct zone *z)
{
	if (z->hop_used)
		munmap(z->hop_used, (z->hop_end - z->hop_start) / 8);
	z->hop_used = NULL;
	vec_free(&z->pieces);
}

bool zone_reaches(const struct zone *z, uint64_t start, uint64_t end)
{
	const uint64_t reach = 2048 * MB - 65536;
	uint64_t low = start < z->start ? start : z->start, high = end > z->start + ZONE_SIZE ? end : z->start + ZONE_SIZE;
	return high - low < reach;
}

/* The end of all that has been handed out in the stretch. */
static uint64_t end_of_used(const struct zone *z, int stretch)
{
	uint64_t end = z->copies[stretch].next;
	for (size_t i = 0; i < z->pieces.count; i++)
		if (z->pieces.at[i].end > end && z->pieces.at[i].end <= z->copies[stretch].end)
			end = z->pieces.at[i].end;
	return end;
}

static void keep_next(struct zone *z)
{
	for (int i = 0; i < 2 && z->next_copy; i++)
		__atomic_store_n(&z->next_copy[i], end_of_used(z, i), __ATOMIC_RELEASE);
}

static const struct zone_piece *piece_within(const struct zone *z, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < z->pieces.count; i++)
		if (z->pieces.at[i].start < end && start < z->pieces.at[i].end)
			return &z->pieces.at[i];
	return NULL;
}

/* The first address from `at` on where that much is in no piece. */
static uint64_t behind_pieces(const struct zone *z, uint64_t at, size_t size)
{
	const struct zone_piece *piece;
	while ((piece = piece_within(z, at, at + size)))
		at = (piece->end + 15) & ~15ul;
	return at;
}

static uint64_t take(struct zone *z, int stretch, uint64_t at, size_t size)
{
	at = behind_pieces(z, at, size);
	if (at > z->copies[stretch].end || z->copies[stretch].end - at < size)
		return 0;
	z->copies[stretch].next = at + size;
	z->last = &z->copies[stretch].next;
	keep_next(z);
	return at;
}

uint64_t zone_reserve(struct zone *z, size_t size)
{
	uint64_t at = take(z, 0, z->copies[0].next, size);
	return at ? at : take(z, 1, z->copies[1].next, size);
}

/* The next address whose distance from `text` has a third byte that traps. */
static uint64_t next_window(uint64_t at, uint64_t text)
{
	enum { WINDOW = 1 << 16, WINDOWS = 256 };
	for (int n = 0; n < WINDOWS && !is_trap_byte((at - text) >> 16); n++)
		at += WINDOW - ((at - text) & (WINDOW - 1));
	return (at + 15) & ~15ul;
}

/* The least of the gaps gives way, but not one that zone_trim may yet come back to. */
static void keep_gap(struct zone *z, uint64_t start, uint64_t end)
{
	size_t least = &z->gaps[0].next == z->last;
	for (size_t i = least; i < sizeof z->gaps / sizeof *z->gaps; i++)
		if (&z->gaps[i].next != z->last && z->gaps[i].end - z->gaps[i].next < z->gaps[least].end - z->gaps[least].next)
			least = i;
	if (end - start > z->gaps[least].end - z->gaps[least].next) {
		z->gaps[least].next = start;
		z->gaps[least].end = end;
	}
}

/* Room that was passed over, but for the pieces in it. */
static void keep_gaps(struct zone *z, uint64_t start, uint64_t end)
{
	const struct zone_piece *piece, *first;
	for (; start < end; start = first ? (first->end + 15) & ~15ul : end) {
		first = NULL;
		for (piece = z->pieces.at; piece < z->pieces.at + z->pieces.count; piece++)
			if (piece->start < end && piece->end > start && (!first || piece->start < first->start))
				first = piece;
		if (!first || first->start > start)
			keep_gap(z, start, first ? first->start : end);
	}
}

static uint64_t take_from_gap(struct zone *z, size_t size, uint64_t text)
{
	for (size_t i = 0; i < sizeof z->gaps / sizeof *z->gaps; i++) {
		uint64_t start = z->gaps[i].next, end = z->gaps[i].end, at = next_window(start, text);
		if (at > end || end - at < size)
			continue;
		z->gaps[i].next = at + size;
		z->last = &z->gaps[i].next;
		if (at > start)
			keep_gap(z, start, at);
		return at;
	}
	return 0;
}

uint64_t zone_reserve_for(struct zone *z, size_t size, uint64_t text)
{
	uint64_t found = take_from_gap(z, size, text);
	for (int i = 0; i < 2 && !found; i++) {
		uint64_t next = z->copies[i].next, at = next_window(next, text);
		for (const struct zone_piece *piece; (piece = piece_within(z, at, at + size));)
			at = next_window(piece->end, text);
		if (at - next <= (z->copies[i].end - next) / 4 && (found = take(z, i, at, size)))
			keep_gaps(z, next, at);
	}
	return found ? found : zone_reserve(z, size);
}

bool zone_is_free(const struct zone *z, uint64_t start, uint64_t end)
{
	bool is_room = false;
	for (int i = 0; i < 2; i++)
		is_room |= start >= z->copies[i].next && end <= z->copies[i].end;
	return is_room && start < end && !piece_within(z, start, end);
}

void zone_claim(struct zone *z, uint64_t start, uint64_t end)
{
	struct zone_piece *last = z->pieces.count ? &z->pieces.at[z->pieces.count - 1] : NULL;
	if (last && start >= last->end && start - last->end < USELESS)
		last->end = end;
	else
		vec_push(&z->pieces, (struct zone_piece){start, end});
	keep_next(z);
}

void zone_begin_apart(struct zone *z, struct zone_apart *before)
{
	for (int i = 0; i < 2; i++) {
		uint64_t used = end_of_used(z, i), left = z->copies[i].end - used;
		before->next[i] = z->copies[i].next;
		z->copies[i].next = (used + (left / 6 < APART ? left / 6 : APART) + 15) & ~15ul;
	}
	memcpy(before->gaps, z->gaps, sizeof z->gaps);
	memset(z->gaps, 0, sizeof z->gaps);
}

void zone_end_apart(struct zone *z, const struct zone_apart *before)
{
	for (int i = 0; i < 2; i++)
		z->copies[i].next = before->next[i];
	memcpy(z->gaps, before->gaps, sizeof z->gaps);
	z->last = &z->copies[0].next;
	keep_next(z);
}

void zone_trim(struct zone *z, uint64_t end)
{
	*z->last = (end + 15) & ~15ul;
	keep_next(z);
}

/* Counted among what copies[] have left. */
static bool is_left(const struct zone *z, const struct zone_piece *piece)
{
	bool is = false;
	for (int i = 0; i < 2; i++)
		is |= piece->start >= z->copies[i].next && piece->end <= z->copies[i].end;
	return is;
}

uint64_t zone_left(const struct zone *z)
{
	uint64_t left = 0;
	for (int i = 0; i < 2; i++)
		left += z->copies[i].end - z->copies[i].next;
	for (size_t i = 0; i < z->pieces.count; i++)
		left -= is_left(z, &z->pieces.at[i]) ? z->pieces.at[i].end - z->pieces.at[i].start : 0;
	return left;
}

bool zone_is_short(const struct zone *z)
{
	return zone_left(z) <= z->spare;
}

static bool hop_is_free(const struct zone *z, uint64_t at)
{
	for (uint64_t i = at - z->hop_start; i < at - z->hop_start + HOP_SIZE; i++)
		if (z->hop_used[i / 8] & 1 << i % 8)
			return false;
	return true;
}

static void mark_hop(struct zone *z, uint64_t offset)
{
	for (uint64_t i = offset; i < offset + HOP_SIZE && i < z->hop_end - z->hop_start; i++)
		z->hop_used[i / 8] |= 1 << i % 8;
}

/* What isn't zero is a hop; a hop starts with a byte that isn't. One that began in the page before gets a few bytes too many. */
static void find_hops(struct zone *z, uint64_t start, uint64_t end)
{
	const uint8_t *bytes = zone_host(z, z->hop_start);
	for (uint64_t i = start; i < end;)
		if (bytes[i]) {
			mark_hop(z, i);
			i += HOP_SIZE;
		} else {
			i++;
		}
}

void zone_resume(struct zone *z, uint64_t next_copy[2], uint8_t *hop_pages)
{
	uint64_t size = z->hop_end - z->hop_start;
	for (int i = 0; i < 2; i++)
		if (next_copy[i] >= z->copies[i].next && next_copy[i] <= z->copies[i].end)
			z->copies[i].next = next_copy[i];
	for (uint64_t at = 0; at < size; at += PAGE)
		if (hop_pages[at / PAGE / 8] & 1 << at / PAGE % 8)
			find_hops(z, at, at + PAGE);
	z->next_copy = next_copy;
	z->hop_pages = hop_pages;
}

static void keep_page(struct zone *z, uint64_t offset)
{
	if (z->hop_pages)
		z->hop_pages[offset / PAGE / 8] |= 1 << offset / PAGE % 8;
}

static uint64_t take_hop(struct zone *z, uint64_t at, uint64_t target)
{
	mark_hop(z, at - z->hop_start);
	keep_page(z, at - z->hop_start);
	keep_page(z, at - z->hop_start + HOP_SIZE - 1);
	int32_t distance = target - (at + HOP_SIZE);
	uint8_t *code = zone_host(z, at);
	memcpy(code + 1, &distance, 4);
	code[0] = 0xe9; /* jmp target */
	return at;
}

/* Smallest distance >= `distance` all of whose masked bytes trap. Works from the top byte down: the first byte that doesn't fit is raised to the next
 * one that does and everything below starts again from zero. */
static bool next_distance(uint32_t *distance, unsigned mask)
{
	for (int k = 3; k >= 0; k--) {
		if (!(mask & 1u << k) || is_trap_byte(*distance >> 8 * k))
			continue;
		uint64_t raised = *distance;
		do
			raised = ((raised >> 8 * k) + 1) << 8 * k;
		while (raised <= UINT32_MAX && !is_trap_byte(raised >> 8 * k));
		if (raised > UINT32_MAX)
			return false;
		*distance = raised;
		k = 4; /* a carry may have spoilt the bytes above: look again */
	}
	return true;
}

static uint64_t search_hop(struct zone *z, uint64_t first, uint64_t from, unsigned mask)
{
	uint32_t distance = first - from;
	while (next_distance(&distance, mask)) {
		uint64_t at = from + (int32_t)distance;
		if (at + HOP_SIZE > z->hop_end || at < z->hop_start)
			return 0;
		if (hop_is_free(z, at))
			return at;
		distance++;
	}
	return 0;
}

uint64_t zone_hop(struct zone *z, uint64_t from, unsigned mask, uint64_t target)
{
	uint64_t *cursor = &z->hop_cursor[mask & 15];
	uint64_t at = *cursor ? search_hop(z, *cursor, from, mask) : 0;
	if (!at)
		at = search_hop(z, z->hop_start, from, mask);
	if (!at)
		return 0;
	*cursor = at;
	return take_hop(z, at, target);
}
