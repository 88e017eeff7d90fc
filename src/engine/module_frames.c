#include "engine/module_frames.h"
#include "engine/cfi.h"
#include "engine/module_go.h"

#include <dwarf.h>
#include <elf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

/* DW_EH_PE_* of the only layout linkers write: table sorted, entries relative to the header, 32 bits. */
enum { TABLE_ENCODING = DW_EH_PE_datarel | DW_EH_PE_sdata4, COUNT_ENCODING = DW_EH_PE_udata4 };

static const Elf64_Phdr *header_segment(const struct module *m)
{
	const Elf64_Ehdr *e = (const Elf64_Ehdr *)m->file;
	const Elf64_Phdr *p = (const Elf64_Phdr *)(m->file + e->e_phoff);
	for (unsigned i = 0; i < e->e_phnum; i++)
		if (p[i].p_type == PT_GNU_EH_FRAME)
			return &p[i];
	return NULL;
}

/* The FDE's "address range" field: 32 bits behind length, CIE pointer and pc-relative start (encoding pcrel|sdata4, all compilers' choice). */
static bool fde_length(const struct module *m, uint64_t fde, uint32_t *length)
{
	size_t available;
	const uint8_t *bytes = module_bytes(m, fde, &available);
	if (!bytes || available < 16)
		return false;
	memcpy(length, bytes + 12, 4);
	return *length != 0;
}

/* The C library marks its signal return code 'S' and lets the range start a byte early, for unwinders that look up the address before. That byte is no code. */
static bool is_signal_frame(const struct module *m, uint64_t fde)
{
	size_t available;
	uint32_t distance;
	const uint8_t *bytes = module_bytes(m, fde, &available);
	if (!bytes || available < 8)
		return false;
	memcpy(&distance, bytes + 4, 4);
	const uint8_t *cie = module_bytes(m, fde + 4 - distance, &available);
	if (!cie || available < 16)
		return false;
	const uint8_t *augmentation = cie + 9, *end = memchr(augmentation, 0, available - 9);
	return end && memchr(augmentation, 'S', end - augmentation);
}

static int order_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}

static size_t drop_overlaps(struct range *ranges, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (kept && ranges[i].start < ranges[kept - 1].end)
			continue;
		ranges[kept++] = ranges[i];
	}
	return kept;
}

/* Linkage tables: one frame description for many entries, each a jump through a pointer. There is nothing to weave, and a copy would only be one more jump:
 * they are no procedures. */
static void drop_linkage_tables(struct module *m)
{
	size_t names, kept;
	GElf_Shdr h;
	if (!m->elf || elf_getshdrstrndx(m->elf, &names))
		return;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(m->elf, section));) {
		const char *name = gelf_getshdr(section, &h) ? elf_strptr(m->elf, names, h.sh_name) : NULL;
		if (!name || strncmp(name, ".plt", 4))
			continue;
		kept = 0;
		for (size_t i = 0; i < m->range_count; i++)
			if (m->ranges[i].start < h.sh_addr || m->ranges[i].start >= h.sh_addr + h.sh_size)
				m->ranges[kept++] = m->ranges[i];
		m->range_count = kept;
	}
}

/* False: no usable table. */
static bool ranges_from_table(const struct module *m, range_list *ranges)
{
	const Elf64_Phdr *p = header_segment(m);
	size_t available;
	const uint8_t *table = p ? module_bytes(m, p->p_vaddr, &available) : NULL;
	if (!table || available < 12 || table[0] != 1 || table[2] != COUNT_ENCODING || table[3] != TABLE_ENCODING)
		return false;
	uint32_t count;
	memcpy(&count, table + 8, 4);
	if (count > (available - 12) / 8)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		int32_t start, fde;
		uint32_t length;
		memcpy(&start, table + 12 + 8 * i, 4);
		memcpy(&fde, table + 16 + 8 * i, 4);
		uint64_t at = p->p_vaddr + start;
		if (fde_length(m, p->p_vaddr + fde, &length) && module_text(m, at))
			vec_push(ranges, (struct range){at + is_signal_frame(m, p->p_vaddr + fde), at + length});
	}
	return true;
}

struct collector {
	const struct module *m;
	range_list *ranges;
};

static bool collect(void *context, uint64_t entry, const struct range *code)
{
	struct collector *c = context;
	if (module_text(c->m, code->start))
		vec_push(c->ranges, (struct range){code->start + is_signal_frame(c->m, entry), code->end});
	return false;
}

void module_read_frames(struct module *m)
{
	range_list ranges = {0};
	if (!ranges_from_table(m, &ranges))
		cfi_walk(m, collect, &(struct collector){m, &ranges}); /* static programs have .eh_frame without a table */
	module_read_go(m, &ranges);
	if (ranges.count)
		qsort(ranges.at, ranges.count, sizeof *ranges.at, order_ranges);
	m->ranges = ranges.at;
	m->range_count = drop_overlaps(ranges.at, ranges.count);
	drop_linkage_tables(m);
}
