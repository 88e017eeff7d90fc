/* C++ landing pads: .eh_frame_hdr's sorted table -> FDE -> its language-specific data area -> call-site table. (The area's layout is that of
 * GCC's unwind-c++ personality, which C, Rust and others share.) */
#include "engine/cfi.h"
#include "engine/cfi_reader.h"

#include <dwarf.h>
#include <errno.h>

enum { LANDING_PADS_MAX = 1 << 14 };

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

static int read_call_sites(struct cfi_reader *r, uint8_t encoding, uint64_t size, uint64_t base, struct pads *pads)
{
	if (r->bad || (uint64_t)(r->end - r->at) < size)
		return -EBADMSG;
	r->end = r->at + size;
	while (!r->bad && r->at < r->end && pads->count < LANDING_PADS_MAX) {
		cfi_encoded(r, encoding);
		cfi_encoded(r, encoding);
		uint64_t pad = cfi_encoded(r, encoding);
		cfi_leb128(r, false);
		if (r->bad || (pad && !module_text(r->m, base + pad)))
			return -EBADMSG;
		if (pad)
			add_pad(pads, base + pad);
	}
	return r->bad ? -EBADMSG : 0;
}

int cfi_landing_pads(const struct module *m, uint64_t range_start, uint64_t *out, size_t max)
{
	struct cfi_entry entry;
	uint64_t base = range_start;
	if (!cfi_find_entry(m, range_start, &entry) || !entry.lsda)
		return 0;
	struct cfi_reader r = cfi_reader_at(m, entry.lsda);
	uint8_t encoding = cfi_fixed(&r, 1);
	if (encoding != DW_EH_PE_omit)
		base = cfi_encoded(&r, encoding);
	if (cfi_fixed(&r, 1) != DW_EH_PE_omit)
		cfi_leb128(&r, false);
	encoding = cfi_fixed(&r, 1);
	uint64_t size = cfi_leb128(&r, false);
	struct pads pads = {out, max, 0};
	int status = read_call_sites(&r, encoding, size, base, &pads);
	return status ? status : (int)pads.count;
}
