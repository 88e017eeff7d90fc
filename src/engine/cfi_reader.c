#include "engine/cfi_reader.h"

#include <dwarf.h>

struct cfi_reader cfi_reader_at(const struct module *m, uint64_t offset)
{
	struct cfi_reader r = {.m = m, .offset = offset};
	size_t available;
	r.at = module_bytes(m, offset, &available);
	r.end = r.at + available;
	r.bad = !r.at;
	return r;
}

uint64_t cfi_fixed(struct cfi_reader *r, size_t size)
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

void cfi_skip(struct cfi_reader *r, uint64_t size)
{
	if (r->bad || (uint64_t)(r->end - r->at) < size) {
		r->bad = true;
		return;
	}
	r->at += size;
	r->offset += size;
}

uint64_t cfi_leb128(struct cfi_reader *r, bool is_signed)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;
	do {
		byte = cfi_fixed(r, 1);
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

uint64_t cfi_encoded(struct cfi_reader *r, uint8_t encoding)
{
	uint64_t base = (encoding & 0x70) == DW_EH_PE_pcrel ? r->offset : 0, value = 0;
	if ((encoding & 0x70) != DW_EH_PE_pcrel && (encoding & 0x70) != DW_EH_PE_absptr)
		r->bad = true;
	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8: value = cfi_fixed(r, 8); break;
	case DW_EH_PE_udata4: value = cfi_fixed(r, 4); break;
	case DW_EH_PE_sdata4: value = sign_extend(cfi_fixed(r, 4), 32); break;
	case DW_EH_PE_udata2: value = cfi_fixed(r, 2); break;
	case DW_EH_PE_sdata2: value = sign_extend(cfi_fixed(r, 2), 16); break;
	case DW_EH_PE_uleb128: value = cfi_leb128(r, false); break;
	case DW_EH_PE_sleb128: value = cfi_leb128(r, true); break;
	default: r->bad = true;
	}
	return value ? base + value : 0; /* 0 stays "none", whatever the base */
}
