/* C++ landing pads: .eh_frame_hdr's sorted table -> FDE -> its language-specific data area -> call-site table. (LSB Core, "Exception
 * Frames"; the area's layout is that of GCC's unwind-c++ personality.) Every read is bounds-checked: the file may be damaged or hostile. */
#include "engine/cfi.h"

#include <dwarf.h>
#include <elf.h>
#include <errno.h>

enum { LANDING_PADS_MAX = 1 << 14 };

struct reader {
	const struct module *m;
	uint64_t offset; /* of the next byte */
	const uint8_t *at, *end;
	bool bad;
};

static struct reader reader_at(const struct module *m, uint64_t offset)
{
	struct reader r = {.m = m, .offset = offset};
	size_t available;
	r.at = module_bytes(m, offset, &available);
	r.end = r.at + available;
	r.bad = !r.at;
	return r;
}

static uint64_t fixed(struct reader *r, size_t size)
{
	uint64_t value = 0;
	if (r->bad || (size_t)(r->end - r->at) < size) {
		r->bad = true;
		return 0;
	}
	memcpy(&value, r->at, size);
	r->at += size;
	r->offset += size;
	return value;
}

static void skip(struct reader *r, uint64_t size)
{
	if (r->bad || (uint64_t)(r->end - r->at) < size) {
		r->bad = true;
		return;
	}
	r->at += size;
	r->offset += size;
}

static uint64_t leb128(struct reader *r, bool is_signed)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;
	do {
		byte = fixed(r, 1);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80 && !r->bad);
	if (is_signed && shift < 64 && byte & 0x40)
		value |= ~0ull << shift;
	return value;
}

static uint64_t sign_extend(uint64_t value, unsigned bits)
{
	return (uint64_t)((int64_t)(value << (64 - bits)) >> (64 - bits));
}

/* A DW_EH_PE_* encoded number; pointers are module offsets. Indirect ones (through a GOT slot) read as the slot's offset. */
static uint64_t encoded(struct reader *r, uint8_t encoding)
{
	uint64_t base = (encoding & 0x70) == DW_EH_PE_pcrel ? r->offset : 0, value = 0;
	if ((encoding & 0x70) != DW_EH_PE_pcrel && (encoding & 0x70) != DW_EH_PE_absptr)
		r->bad = true;
	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8: value = fixed(r, 8); break;
	case DW_EH_PE_udata4: value = fixed(r, 4); break;
	case DW_EH_PE_sdata4: value = sign_extend(fixed(r, 4), 32); break;
	case DW_EH_PE_udata2: value = fixed(r, 2); break;
	case DW_EH_PE_sdata2: value = sign_extend(fixed(r, 2), 16); break;
	case DW_EH_PE_uleb128: value = leb128(r, false); break;
	case DW_EH_PE_sleb128: value = leb128(r, true); break;
	default: r->bad = true;
	}
	return value ? base + value : 0; /* 0 stays "none", whatever the base */
}

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

/* The FDE of the range that starts at `start`: binary search. False if there is none. */
static bool find_fde(const struct module *m, uint64_t start, uint64_t *fde)
{
	size_t available;
	uint64_t header = header_offset(m);
	const uint8_t *table = header ? module_bytes(m, header, &available) : NULL;
	if (!table || available < 12 || table[2] != DW_EH_PE_udata4 || table[3] != (DW_EH_PE_datarel | DW_EH_PE_sdata4))
		return false;
	size_t low = 0, high = table_word(table, -1);
	if (high > (available - 12) / 8)
		return false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		uint64_t at = header + (int32_t)table_word(table, 2 * middle);
		if (at == start) {
			*fde = header + (int32_t)table_word(table, 2 * middle + 1);
			return true;
		}
		if (at < start)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

struct encodings {
	uint8_t pointer, lsda;
};

static void read_augmentation(struct reader *r, const char *letters, struct encodings *out)
{
	for (; *letters; letters++) {
		if (*letters == 'L')
			out->lsda = fixed(r, 1);
		else if (*letters == 'R')
			out->pointer = fixed(r, 1);
		else if (*letters == 'P')
			encoded(r, fixed(r, 1) & 0x7f);
		else if (*letters != 'S' && *letters != 'B')
			return;
	}
}

static bool read_cie(const struct module *m, uint64_t offset, struct encodings *out)
{
	*out = (struct encodings){DW_EH_PE_absptr, DW_EH_PE_omit};
	struct reader r = reader_at(m, offset);
	skip(&r, 8);
	uint8_t version = fixed(&r, 1);
	char letters[9] = "";
	for (size_t i = 0; i < sizeof letters && (letters[i] = fixed(&r, 1)); i++)
		if (i == sizeof letters - 1)
			return false;
	if (letters[0] != 'z')
		return false;
	leb128(&r, false);
	leb128(&r, true);
	if (version == 1)
		skip(&r, 1);
	else
		leb128(&r, false);
	leb128(&r, false);
	read_augmentation(&r, letters + 1, out);
	return !r.bad;
}

/* 0: the procedure has none. */
static int find_lsda(const struct module *m, uint64_t fde, uint64_t *lsda)
{
	struct reader r = reader_at(m, fde);
	uint64_t length = fixed(&r, 4), cie_field = r.offset, cie = fixed(&r, 4);
	struct encodings e;
	*lsda = 0;
	if (r.bad || length == 0xffffffff || !cie)
		return -EBADMSG;
	if (!read_cie(m, cie_field - cie, &e) || e.lsda == DW_EH_PE_omit)
		return 0;
	encoded(&r, e.pointer);
	encoded(&r, e.pointer & 0x0f);
	if (leb128(&r, false))
		*lsda = encoded(&r, e.lsda);
	return r.bad ? -EBADMSG : 0;
}

struct pads {
	uint64_t *out;
	size_t max, count;
};

/* Keeps the list ascending and free of duplicates. Once it is full, the highest go. */
static void add_pad(struct pads *p, uint64_t pad)
{
	size_t held = p->count < p->max ? p->count : p->max, i = held;
	while (i && p->out[i - 1] >= pad) {
		if (p->out[i - 1] == pad)
			return;
		i--;
	}
	p->count++;
	if (i == p->max)
		return;
	size_t moved = held - i - (held == p->max);
	memmove(p->out + i + 1, p->out + i, moved * sizeof *p->out);
	p->out[i] = pad;
}

static int read_call_sites(struct reader *r, uint8_t encoding, uint64_t size, uint64_t base, struct pads *pads)
{
	if (r->bad || (uint64_t)(r->end - r->at) < size)
		return -EBADMSG;
	r->end = r->at + size;
	while (!r->bad && r->at < r->end && pads->count < LANDING_PADS_MAX) {
		encoded(r, encoding);
		encoded(r, encoding);
		uint64_t pad = encoded(r, encoding);
		leb128(r, false);
		if (r->bad || (pad && !module_text(r->m, base + pad)))
			return -EBADMSG;
		if (pad)
			add_pad(pads, base + pad);
	}
	return r->bad ? -EBADMSG : 0;
}

int cfi_landing_pads(const struct module *m, uint64_t range_start, uint64_t *out, size_t max)
{
	uint64_t fde, lsda, base = range_start;
	if (!find_fde(m, range_start, &fde))
		return 0;
	int status = find_lsda(m, fde, &lsda);
	if (status || !lsda)
		return status;
	struct reader r = reader_at(m, lsda);
	uint8_t encoding = fixed(&r, 1);
	if (encoding != DW_EH_PE_omit)
		base = encoded(&r, encoding);
	if (fixed(&r, 1) != DW_EH_PE_omit)
		leb128(&r, false);
	encoding = fixed(&r, 1);
	uint64_t size = leb128(&r, false);
	struct pads pads = {out, max, 0};
	status = read_call_sites(&r, encoding, size, base, &pads);
	return status ? status : (int)pads.count;
}
