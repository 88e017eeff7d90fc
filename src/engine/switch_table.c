#include "engine/switch_table.h"
#include "engine/cfi.h"

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

/* In a part that was split off a procedure: the table's, most likely. */
static bool is_split_off(const struct module *m, uint64_t target)
{
	struct range range;
	return module_range(m, target, &range) && !cfi_starts_frame(m, range.start);
}

bool switch_table_is_possible(const struct module *m, const struct range *ranges, size_t range_count, uint64_t table)
{
	return !(table & 3) && !inside(ranges, range_count, table) && is_read_only_data(m, table);
}

bool switch_table_targets(const struct module *m, const struct range *ranges, size_t range_count, uint64_t table, uint64_t base, switch_target *found,
			  void *context)
{
	size_t available, i;
	const uint8_t *bytes = module_bytes(m, table, &available);
	for (i = 0; i < ENTRIES_MAX && (i + 1) * 4 <= available; i++) {
		int32_t entry;
		memcpy(&entry, bytes + 4 * i, 4);
		uint64_t target = base + entry;
		if (!inside(ranges, range_count, target) && !is_split_off(m, target))
			break;
		found(context, target);
	}
	return i;
}
