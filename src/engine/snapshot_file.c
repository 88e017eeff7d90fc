#include "engine/snapshot_file.h"

#include <clearview/guest.h>

#include "engine/refusal.h"

const char snapshot_magic[8] = "cv-snp-2";

const uint32_t snapshot_record_size[SNAPSHOT_SECTIONS] = {
	[SNAPSHOT_PROCEDURES] = sizeof(struct snapshot_procedure),
	[SNAPSHOT_RANGES] = sizeof(struct snapshot_range),
	[SNAPSHOT_EXTRAS] = sizeof(uint64_t),
	[SNAPSHOT_HOLES] = sizeof(struct snapshot_hole),
	[SNAPSHOT_HOPS] = sizeof(struct snapshot_hop),
	[SNAPSHOT_LANDED] = sizeof(struct guest_landings),
	[SNAPSHOT_LANDINGS] = 1,
	[SNAPSHOT_RETURNS] = sizeof(struct snapshot_return),
	[SNAPSHOT_REFUSED] = sizeof(struct snapshot_refused),
	[SNAPSHOT_EXTENTS] = sizeof(struct snapshot_extent),
	[SNAPSHOT_BOUNDARY] = sizeof(uint64_t),
	[SNAPSHOT_LANDABLE] = sizeof(uint64_t),
	[SNAPSHOT_TEXT] = 1,
	[SNAPSHOT_CODE] = 1,
};

static bool is_within(const struct snapshot_header *h, enum snapshot_section s, uint64_t at, uint64_t count)
{
	return at <= h->sections[s].count && count <= h->sections[s].count - at;
}

static bool sections_are_sound(const struct snapshot_header *h)
{
	uint64_t words = (h->text_size + 63) / 64;
	for (int s = 0; s < SNAPSHOT_SECTIONS; s++) {
		uint64_t at = h->sections[s].at, count = h->sections[s].count;
		if (at % 8 || at > h->stamp.size || count > (h->stamp.size - at) / snapshot_record_size[s])
			return false;
	}
	return h->sections[SNAPSHOT_TEXT].count == h->text_size && h->sections[SNAPSHOT_BOUNDARY].count == words && h->sections[SNAPSHOT_LANDABLE].count == words;
}

static bool procedure_is_sound(const struct snapshot_header *h, const struct snapshot_procedure *p)
{
	return p->range_count && is_within(h, SNAPSHOT_CODE, p->code_at, p->size) && is_within(h, SNAPSHOT_RANGES, p->range_at, p->range_count) &&
	       is_within(h, SNAPSHOT_EXTRAS, p->extra_at, p->extra_count) && is_within(h, SNAPSHOT_HOLES, p->hole_at, p->hole_count) &&
	       is_within(h, SNAPSHOT_HOPS, p->hop_at, p->hop_count) && is_within(h, SNAPSHOT_RETURNS, p->return_at, p->return_count);
}

static bool range_is_sound(const struct snapshot_header *h, const struct range *r, uint32_t padding)
{
	return r->start >= h->text_start && r->end - h->text_start + padding <= h->text_size;
}

static bool records_are_sound(const struct snapshot_header *h, const struct module *m)
{
	const struct snapshot_range *ranges = snapshot_section(h, SNAPSHOT_RANGES);
	const struct snapshot_procedure *procedures = snapshot_section(h, SNAPSHOT_PROCEDURES);
	const struct snapshot_extent *extents = snapshot_section(h, SNAPSHOT_EXTENTS);
	const struct snapshot_hole *holes = snapshot_section(h, SNAPSHOT_HOLES);
	const struct snapshot_hop *hops = snapshot_section(h, SNAPSHOT_HOPS);
	const struct snapshot_refused *refused = snapshot_section(h, SNAPSHOT_REFUSED);
	const struct guest_landings *landed = snapshot_section(h, SNAPSHOT_LANDED);
	bool sound = true;
	for (uint64_t i = 0; i < h->sections[SNAPSHOT_RANGES].count; i++)
		sound &= ranges[i].range < m->range_count && range_is_sound(h, &m->ranges[ranges[i].range], ranges[i].padding);
	for (uint64_t i = 0; i < h->sections[SNAPSHOT_PROCEDURES].count; i++)
		sound &= procedure_is_sound(h, &procedures[i]);
	for (uint64_t i = 0; i < h->sections[SNAPSHOT_LANDED].count; i++)
		sound &= landed[i].end >= landed[i].at && is_within(h, SNAPSHOT_LANDINGS, landed[i].at, landed[i].end - landed[i].at);
	for (uint64_t i = 0; i < h->sections[SNAPSHOT_EXTENTS].count; i++)
		sound &= extents[i].end >= extents[i].start && is_within(h, SNAPSHOT_CODE, extents[i].code_at, extents[i].end - extents[i].start);
	for (uint64_t i = 0; i < h->sections[SNAPSHOT_HOLES].count; i++)
		sound &= holes[i].at < h->text_size;
	for (uint64_t i = 0; i < h->sections[SNAPSHOT_HOPS].count; i++)
		sound &= hops[i].at + 5ul <= h->text_size && hops[i].mask < 16;
	for (uint64_t i = 0; i < h->sections[SNAPSHOT_REFUSED].count; i++)
		sound &= refused[i].range < m->range_count && refused[i].why < REFUSALS;
	return sound;
}

bool snapshot_is_sound(const struct snapshot_header *h, const struct module *m)
{
	return sections_are_sound(h) && records_are_sound(h, m);
}
