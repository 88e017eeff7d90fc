/* Frame description entries of .eh_frame (LSB Core, "Exception Frames"). */
#include "engine/cfi.h"
#include "engine/cfi_reader.h"

#include <dwarf.h>
#include <gelf.h>
#include <errno.h>

static uint32_t table_word(const uint8_t *table, size_t index)
{
	uint32_t word;
	memcpy(&word, table + 12 + 4 * index, 4);
	return word;
}

static uint64_t header_offset(const struct module *m)
{
	const Elf64_Ehdr *e = (const Elf64_Ehdr *)m->file;
	const Elf64_Phdr *p = (const Elf64_Phdr *)(m->file + e->e_phoff);
	for (unsigned i = 0; i < e->e_phnum; i++)
		if (p[i].p_type == PT_GNU_EH_FRAME)
			return p[i].p_vaddr;
	return 0;
}

enum lookup { LOOKUP_NONE, LOOKUP_FOUND, LOOKUP_NO_TABLE };

static enum lookup look_up(const struct module *m, uint64_t start, uint64_t *fde)
{
	size_t available;
	uint64_t header = header_offset(m);
	const uint8_t *table = header ? module_bytes(m, header, &available) : NULL;
	if (!table || available < 12 || table[2] != DW_EH_PE_udata4 || table[3] != (DW_EH_PE_datarel | DW_EH_PE_sdata4))
		return LOOKUP_NO_TABLE;
	size_t low = 0, high = table_word(table, -1);
	if (high > (available - 12) / 8)
		return LOOKUP_NONE;
	while (low < high) {
		size_t middle = (low + high) / 2;
		uint64_t at = header + (int32_t)table_word(table, 2 * middle);
		if (at == start) {
			*fde = header + (int32_t)table_word(table, 2 * middle + 1);
			return LOOKUP_FOUND;
		}
		if (at < start)
			low = middle + 1;
		else
			high = middle;
	}
	return LOOKUP_NONE;
}

static void read_augmentation(struct cfi_reader *r, const char *letters, struct cfi_encodings *out)
{
	for (; *letters; letters++) {
		if (*letters == 'L')
			out->lsda = cfi_fixed(r, 1);
		else if (*letters == 'R')
			out->pointer = cfi_fixed(r, 1);
		else if (*letters == 'P')
			cfi_encoded(r, cfi_fixed(r, 1) & 0x7f);
		else if (*letters != 'S' && *letters != 'B')
			return;
	}
}

static bool read_cie(const struct module *m, uint64_t offset, struct cfi_encodings *out)
{
	*out = (struct cfi_encodings){DW_EH_PE_absptr, DW_EH_PE_omit};
	struct cfi_reader r = cfi_reader_at(m, offset);
	cfi_skip(&r, 8);
	uint8_t version = cfi_fixed(&r, 1);
	char letters[9] = "";
	for (size_t i = 0; i < sizeof letters && (letters[i] = cfi_fixed(&r, 1)); i++)
		if (i == sizeof letters - 1)
			return false;
	if (letters[0] != 'z')
		return false;
	cfi_leb128(&r, false);
	cfi_leb128(&r, true);
	if (version == 1)
		cfi_skip(&r, 1);
	else
		cfi_leb128(&r, false);
	cfi_leb128(&r, false);
	read_augmentation(&r, letters + 1, out);
	return !r.bad;
}

bool cfi_read_entry(const struct module *m, uint64_t offset, struct cfi_entry *out)
{
	struct cfi_reader r = cfi_reader_at(m, offset);
	uint64_t length = cfi_fixed(&r, 4), cie_field = r.offset, cie = cfi_fixed(&r, 4);
	struct cfi_encodings e;
	*out = (struct cfi_entry){.offset = offset};
	if (r.bad || length == 0xffffffff || !cie || !read_cie(m, cie_field - cie, &e))
		return false;
	out->code.start = cfi_encoded(&r, e.pointer);
	out->code.end = out->code.start + cfi_encoded(&r, e.pointer & 0x0f);
	if (cfi_leb128(&r, false) && e.lsda != DW_EH_PE_omit)
		out->lsda = cfi_encoded(&r, e.lsda);
	return !r.bad;
}

static bool frame_section(const struct module *m, struct range *out)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names;
	if (!m->elf || elf_getshdrstrndx(m->elf, &names))
		return false;
	while ((section = elf_nextscn(m->elf, section))) {
		const char *name = gelf_getshdr(section, &header) ? elf_strptr(m->elf, names, header.sh_name) : NULL;
		if (name && !strcmp(name, ".eh_frame") && header.sh_type != SHT_NOBITS) {
			*out = (struct range){header.sh_addr, header.sh_addr + header.sh_size};
			return true;
		}
	}
	return false;
}

int cfi_walk(const struct module *m, cfi_visitor *visit, void *context)
{
	struct range section;
	if (!frame_section(m, &section))
		return 0;
	for (uint64_t at = section.start; at < section.end;) {
		struct cfi_reader r = cfi_reader_at(m, at);
		uint64_t length = cfi_fixed(&r, 4);
		struct cfi_entry entry;
		if (r.bad || length == 0xffffffff)
			return -EBADMSG;
		if (length && cfi_read_entry(m, at, &entry) && entry.code.start < entry.code.end && visit(context, at, &entry.code))
			return 0;
		at += 4 + length; /* the terminators of linked objects' parts have length 0 */
	}
	return 0;
}

struct by_start {
	uint64_t start, offset;
	bool found;
};

static bool has_start(void *context, uint64_t offset, const struct range *code)
{
	struct by_start *want = context;
	want->found = code->start == want->start;
	want->offset = offset;
	return want->found;
}

bool cfi_find_entry(const struct module *m, uint64_t start, struct cfi_entry *out)
{
	struct by_start want = {.start = start};
	enum lookup found = look_up(m, start, &want.offset);
	if (found == LOOKUP_NO_TABLE && !cfi_walk(m, has_start, &want) && want.found)
		found = LOOKUP_FOUND;
	return found == LOOKUP_FOUND && cfi_read_entry(m, want.offset, out);
}
