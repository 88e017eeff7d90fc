/* The table's head (runtime/symtab.go, pcHeader); all offsets from there:
 *
 *   0  magic: 4 bytes      4  zero: 2 bytes   6  code granularity   7  pointer size
 *   8  number of procedures, number of files, address of the text, offsets of: names, units, files, values, entries
 *
 * and the entries: pairs (offset in the text, something about it) of 32 bits each, ascending, one a procedure, and the end of the last one. */
#include "engine/module_go.h"

#include <gelf.h>
#include <string.h>

enum { HEAD_SIZE = 72, AT_COUNT = 8, AT_TEXT = 24, AT_ENTRIES = 64, ENTRY_SIZE = 8 };

static bool find_section(const struct module *m, const char *wanted, GElf_Shdr *h)
{
	size_t names;
	if (!m->elf || elf_getshdrstrndx(m->elf, &names))
		return false;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(m->elf, section));) {
		const char *name = gelf_getshdr(section, h) ? elf_strptr(m->elf, names, h->sh_name) : NULL;
		if (name && !strcmp(name, wanted))
			return true;
	}
	return false;
}

static bool is_known(const uint8_t *head)
{
	static const uint8_t magics[][8] = {{0xf0, 0xff, 0xff, 0xff, 0, 0, 1, 8}, {0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8}}; /* Go 1.18, 1.20 */
	return !memcmp(head, magics[0], 8) || !memcmp(head, magics[1], 8);
}

/* Where the entries' offsets count from. Position-independent programs have a relocation there instead. */
static uint64_t text_start(const struct module *m, const uint8_t *head)
{
	GElf_Shdr h;
	uint64_t start;
	memcpy(&start, head + AT_TEXT, 8);
	if (!start && find_section(m, ".text", &h))
		start = h.sh_addr;
	return start;
}

static bool find_table(const struct module *m, GElf_Shdr *h)
{
	return find_section(m, ".gopclntab", h) || find_section(m, ".data.rel.ro.gopclntab", h);
}

bool module_has_go(const struct module *m)
{
	GElf_Shdr h;
	return find_table(m, &h);
}

void module_read_go(const struct module *m, range_list *ranges)
{
	GElf_Shdr h;
	size_t available;
	uint64_t count, entries;
	if (!find_table(m, &h))
		return;
	const uint8_t *head = module_bytes(m, h.sh_addr, &available);
	if (!head || available < HEAD_SIZE || !is_known(head))
		return;
	memcpy(&count, head + AT_COUNT, 8);
	memcpy(&entries, head + AT_ENTRIES, 8);
	if (entries > available || count >= (available - entries) / ENTRY_SIZE)
		return;
	uint64_t text = text_start(m, head);
	for (uint64_t i = 0; i < count; i++) {
		uint32_t start, end;
		memcpy(&start, head + entries + i * ENTRY_SIZE, 4);
		memcpy(&end, head + entries + (i + 1) * ENTRY_SIZE, 4);
		const struct segment *s = module_text(m, text + start);
		if (start < end && s && text + end <= s->offset + s->file_size)
			vec_push(ranges, (struct range){text + start, text + end});
	}
}

/* cmp 0x10(%r14), %rsp; or of a larger frame lea -n(%rsp), %r12 or mov %rsp, %r12 ... cmp 0x10(%r14), %r12. Older code has the goroutine in rcx. */
bool module_go_has_room(const struct module *m, uint64_t entry)
{
	enum { FAR = 32 };
	static const uint8_t checks[][4] = {{0x49, 0x3b, 0x66, 0x10}, {0x4d, 0x3b, 0x66, 0x10}, {0x48, 0x3b, 0x61, 0x10}, {0x4c, 0x3b, 0x61, 0x10}};
	size_t available;
	const uint8_t *bytes = module_bytes(m, entry, &available);
	for (size_t at = 0; bytes && at < FAR && at + sizeof checks[0] <= available; at++)
		for (size_t k = 0; k < sizeof checks / sizeof *checks; k++)
			if (!memcmp(bytes + at, checks[k], sizeof checks[k]))
				return true;
	return false;
}
