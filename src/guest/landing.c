/* Where a landing on redirected text goes on. */
#include <clearview/landing_code.h>

#include "guest/signals.h"

/* The range that may hold the offset in the module's text. */
static const struct guest_landings *find_range(const struct guest_module *m, uint64_t count, uint32_t text)
{
	const struct guest_landings *ranges = (const void *)((const uint8_t *)&guest_tables + m->ranges);
	uint64_t low = 0, high = count;
	while (low < high) {
		uint64_t middle = (low + high) / 2;
		if (ranges[middle].text <= text)
			low = middle + 1;
		else
			high = middle;
	}
	return low && text < ranges[low - 1].text_end ? &ranges[low - 1] : 0;
}

static bool find_short(const struct guest_module *m, uint32_t text, struct landing *out)
{
	uint64_t count = __atomic_load_n(&m->range_count, __ATOMIC_ACQUIRE);
	const struct guest_landings *range = count ? find_range(m, count, text) : 0;
	const uint8_t *bytes = (const uint8_t *)&guest_tables + m->landings;
	if (!range)
		return false;
	*out = (struct landing){0, 0, 0};
	for (const uint8_t *at = bytes + range->at, *end = bytes + range->end; (at = landing_decode(at, end, out));)
		if (out->at >= text)
			return out->at == text;
	return false;
}

/* What the map has is newer. 0: none. */
static uint64_t look_up(const struct guest_module *m, uint64_t address, uint32_t *flags)
{
	const uint32_t *map = (const uint32_t *)((const uint8_t *)&guest_tables + m->map);
	uint32_t at = __atomic_load_n(&map[address - m->start], __ATOMIC_ACQUIRE);
	struct landing l;
	if (!at && find_short(m, address - m->start, &l)) {
		*flags = l.flags;
		return m->start + l.code;
	}
	*flags = at & ~GUEST_MAP_OFFSET;
	return at ? m->code + (at & GUEST_MAP_OFFSET) - 1 : 0;
}

uint64_t find_landing(uint64_t address, bool by_int3, bool *approved)
{
	*approved = false;
	uint32_t count = __atomic_load_n(&guest_tables.module_count, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t flags;
		const struct guest_module *m = &guest_tables.module[i];
		if (address < m->start || address >= m->end)
			continue;
		uint64_t to = look_up(m, address, &flags);
		*approved = flags & GUEST_MAP_APPROVED;
		if (to && (by_int3 || !(flags & GUEST_MAP_CALL)))
			return to;
	}
	return 0;
}

uint64_t landing_of(uint64_t address)
{
	bool approved;
	return find_landing(address, true, &approved);
}

bool in_redirected_text(uint64_t address)
{
	for (uint32_t i = 0; i < guest_tables.module_count; i++)
		if (address >= guest_tables.module[i].start && address < guest_tables.module[i].end)
			return true;
	return false;
}

bool landing_is_judged(uint64_t address)
{
	bool approved;
	find_landing(address, true, &approved);
	return guest_tables.firewall && !approved && in_redirected_text(address);
}
