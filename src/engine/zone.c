#include "engine/zone.h"

#include <string.h>

#define MB (1ul << 20)
#define APART (6 * MB) /* libraries larger than 2 MB lie at distances from each other that vary by as much from run to run, and what lies behind several by more */
enum { USELESS = 64 /* bytes: no copy fits in */ };

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
}

void zone_release(struct zone *z)
{
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

static uint64_t left_apart(const struct zone *z, int stretch)
{
	uint64_t left = z->copies[stretch].end - z->copies[stretch].next;
	return left > APART ? left - APART : 0;
}

void zone_begin_apart(struct zone *z, size_t expected, struct zone_apart *before)
{
	for (int i = 0; i < 2; i++) {
		uint64_t used = end_of_used(z, i), left = z->copies[i].end - used;
		before->next[i] = z->copies[i].next;
		z->copies[i].next = (used + (left / 6 < APART ? left / 6 : APART) + 15) & ~15ul;
	}
	if (left_apart(z, 0) < expected && left_apart(z, 1) >= expected)
		z->copies[0].next = z->copies[0].end;
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

void zone_resume(struct zone *z, uint64_t next_copy[2], uint8_t *hop_pages)
{
	for (int i = 0; i < 2; i++)
		if (next_copy[i] >= z->copies[i].next && next_copy[i] <= z->copies[i].end)
			z->copies[i].next = next_copy[i];
	z->next_copy = next_copy;
	z->hop_pages = hop_pages;
}
