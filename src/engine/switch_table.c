#include "engine/switch_table.h"
#include "engine/cfi.h"

#include <string.h>
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

bool switch_table_target(const struct module *m, const struct range *ranges, size_t range_count, uint64_t table, uint64_t base, size_t index, uint64_t *target)
{
	size_t available, size = base ? sizeof(int32_t) : sizeof(uint64_t);
	const uint8_t *bytes = module_bytes(m, table, &available);
	int32_t distance;
	if (!bytes || index >= ENTRIES_MAX || (index + 1) * size > available)
		return false;
	if (base) {
		memcpy(&distance, bytes + size * index, size);
		*target = base + distance;
	} else {
		memcpy(target, bytes + size * index, size);
	}
	return inside(ranges, range_count, *target) || is_split_off(m, *target);
}

bool switch_table_indexed(const uint8_t *insn, size_t length, uint64_t *table)
{
	enum { NOTRACK = 0x3e, REX = 0x40, LOAD = 0x8b, GROUP5 = 0xff, JUMP = 4, BY_SIB = 4, NO_BASE = 5, NO_INDEX = 4, EIGHT = 3, SIZE = 7 };
	size_t at = insn[0] == NOTRACK;
	uint8_t rex = (insn[at] & 0xf0) == REX ? insn[at++] & 15 : 0;
	int32_t address;
	if (length != at + SIZE)
		return false;
	uint8_t opcode = insn[at], mode = insn[at + 1], sib = insn[at + 2];
	bool jumps = opcode == GROUP5 && (mode >> 3 & 7) == JUMP, loads = opcode == LOAD && rex & 8;
	bool has_index = rex & 2 || (sib >> 3 & 7) != NO_INDEX;
	if (!(jumps || loads) || (mode & 0xc7) != BY_SIB || (sib & 7) != NO_BASE || sib >> 6 != EIGHT || !has_index)
		return false;
	memcpy(&address, insn + at + 3, 4);
	*table = (int64_t)address;
	return true;
}
