#include "engine/switch_table.h"

#include <sys/mman.h>

enum { ENTRIES_MAX = 4096 };

static bool inside(const struct range *ranges, size_t count, uint64_t offset)
{
	for (size_t i = 0; i < count; i++)
		if (offset >= ranges[i].start && offset < ranges[i].end)
			return true;
	return false;
}

static bool is_read_only_data(const struct module *m, uint64_t offset)
{
	for (size_t i = 0; i < m->segment_count; i++) {
		const struct segment *s = &m->segments[i];
		if (offset >= s->offset && offset - s->offset < s->file_size)
			return !(s->protection & PROT_WRITE);
	}
	return false;
}

void switch_table_targets(const struct module *m, const struct range *ranges, size_t range_count, uint64_t table, switch_target *found, void *context)
{
	size_t available;
	if (table & 3 || inside(ranges, range_count, table) || !is_read_only_data(m, table))
		return;
	const uint8_t *bytes = module_bytes(m, table, &available);
	for (size_t i = 0; i < ENTRIES_MAX && (i + 1) * 4 <= available; i++) {
		int32_t entry;
		memcpy(&entry, bytes + 4 * i, 4);
		uint64_t target = table + entry;
		if (!inside(ranges, range_count, target))
			return;
		found(context, target);
	}
}
