/* The hops of a zone: jumps at addresses whose distance from a springboard is made of bytes that trap. */
#include "engine/zone.h"

#include <string.h>

enum { JMP = 0xe9, HOP_SIZE = 5, PAGE = 4096, TOP_BYTE = 3 };

/* One byte in and out, insb/outsb, hlt, cli, sti (all #GP in user mode); int3; opcodes that 64-bit mode took out. Left out, because they mean something
 * or may yet: 62, c4, c5, d5 (prefixes), d6, f1, and cd, cf. */
static const bool traps[256] = {
	[0x06] = true, [0x07] = true, [0x0e] = true, [0x16] = true, [0x17] = true, [0x1e] = true, [0x1f] = true, [0x27] = true, [0x2f] = true,
	[0x37] = true, [0x3f] = true, [0x60] = true, [0x61] = true, [0x6c] = true, [0x6d] = true, [0x6e] = true, [0x6f] = true, [0x82] = true,
	[0x9a] = true, [0xcc] = true, [0xce] = true, [0xd4] = true, [0xe4] = true, [0xe5] = true, [0xe6] = true, [0xe7] = true, [0xea] = true,
	[0xec] = true, [0xed] = true, [0xee] = true, [0xef] = true, [0xf4] = true, [0xfa] = true, [0xfb] = true,
};

bool is_trap_byte(uint8_t byte)
{
	return traps[byte];
}

/* What isn't zero is a hop's, and one that overlaps begins within four bytes; so none has less than that between it and the one before. */
static bool is_free(const struct zone *z, uint64_t at)
{
	uint64_t word;
	const uint8_t *here = zone_host(z, at);
	if (at - z->hop_start < sizeof word - HOP_SIZE + 1)
		return false;
	memcpy(&word, here + HOP_SIZE - 1 - sizeof word, sizeof word);
	return !word && !here[HOP_SIZE - 1];
}

static void keep_page(struct zone *z, uint64_t offset)
{
	if (z->hop_pages)
		z->hop_pages[offset / PAGE / 8] |= 1 << offset / PAGE % 8;
}

static uint64_t take(struct zone *z, uint64_t at, uint64_t target)
{
	keep_page(z, at - z->hop_start);
	keep_page(z, at - z->hop_start + HOP_SIZE - 1);
	int32_t distance = target - (at + HOP_SIZE);
	uint8_t *code = zone_host(z, at);
	memcpy(code + 1, &distance, 4);
	code[0] = JMP; /* target */
	return at;
}

/* Smallest distance >= `distance` all of whose masked bytes trap. Works from the top byte down: the first byte that doesn't fit is raised to the next
 * one that does and everything below starts again from zero. */
static bool next_distance(uint32_t *distance, unsigned mask)
{
	for (int k = TOP_BYTE; k >= 0; k--) {
		if (!(mask & 1u << k) || traps[*distance >> 8 * k & 0xff])
			continue;
		uint64_t raised = *distance;
		do
			raised = ((raised >> 8 * k) + 1) << 8 * k;
		while (raised <= UINT32_MAX && !traps[raised >> 8 * k & 0xff]);
		if (raised > UINT32_MAX)
			return false;
		*distance = raised;
		k = TOP_BYTE + 1; /* a carry may have spoilt the bytes above: look again */
	}
	return true;
}

/* In [first, end), with steps that get larger the more of it is taken, up to `stride`; 0: there is none. */
static uint64_t search(const struct zone *z, uint64_t first, uint64_t end, uint64_t from, unsigned mask, unsigned stride)
{
	uint32_t distance = first - from;
	for (unsigned step = 1; next_distance(&distance, mask); distance += step, step += step < stride ? step : 0) {
		uint64_t at = from + (int32_t)distance;
		if (at + HOP_SIZE > end || at < first)
			return 0;
		if (is_free(z, at))
			return at;
	}
	return 0;
}

/* In pages that have some already: each further page is one more to be touched, here and in the guests. */
static uint64_t search_pages(const struct zone *z, uint64_t from, unsigned mask)
{
	enum { MIDDLE_BYTES = 2 | 4, STRIDE = 128 };
	unsigned open = z->hop_opened < HOP_PAGES_OPEN ? z->hop_opened : HOP_PAGES_OPEN;
	for (unsigned i = 1; i <= open && mask & MIDDLE_BYTES; i++) { /* others lie close together anyway */
		uint64_t page = z->hop_open[(z->hop_opened - i) % HOP_PAGES_OPEN], last = page + PAGE - 1, found = 0;
		bool may_suit = !(mask & 4) || traps[(page - from) >> 16 & 0xff] || traps[(last - from) >> 16 & 0xff];
		if (may_suit && (found = search(z, page, page + PAGE, from, mask, STRIDE)))
			return found;
	}
	return 0;
}

static void open_page(struct zone *z, uint64_t at)
{
	z->hop_open[z->hop_opened++ % HOP_PAGES_OPEN] = at & ~(PAGE - 1ul);
}

static uint64_t search_all(struct zone *z, uint64_t from, unsigned mask)
{
	uint64_t *cursor = &z->hop_cursor[mask & 15];
	uint64_t at = *cursor ? search(z, *cursor, z->hop_end, from, mask, 1) : 0;
	if (!at)
		at = search(z, z->hop_start, z->hop_end, from, mask, 1);
	if (!at)
		return 0;
	*cursor = at;
	open_page(z, at);
	return at;
}

uint64_t zone_hop(struct zone *z, uint64_t from, unsigned mask, uint64_t target)
{
	uint64_t at = search_pages(z, from, mask);
	if (!at)
		at = search_all(z, from, mask);
	return at ? take(z, at, target) : 0;
}
