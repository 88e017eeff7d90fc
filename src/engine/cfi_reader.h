/* Private to cfi*.c: reads .eh_frame and .gcc_except_table out of a module's bytes. Never beyond the segment: the file may be damaged or hostile.
 * Errors stick: read on, then look at `bad`. */
#ifndef ENGINE_CFI_READER_H
#define ENGINE_CFI_READER_H

#include "engine/module.h"

struct cfi_reader {
	const struct module *m;
	uint64_t offset; /* of the next byte */
	const uint8_t *at, *end;
	bool bad;
};

struct cfi_reader cfi_reader_at(const struct module *m, uint64_t offset);
uint64_t cfi_fixed(struct cfi_reader *r, size_t size);
void cfi_skip(struct cfi_reader *r, uint64_t size);
uint64_t cfi_leb128(struct cfi_reader *r, bool is_signed);
/* A DW_EH_PE_* encoded number; pointers are module offsets, indirect ones the offset of their slot. 0 stays 0, "none". */
uint64_t cfi_encoded(struct cfi_reader *r, uint8_t encoding);

/* How a CIE says its FDEs are written. */
struct cfi_encodings {
	uint8_t pointer, lsda;
};

/* A frame description entry. */
struct cfi_entry {
	uint64_t offset;   /* of the entry */
	struct range code;
	uint64_t lsda;     /* language-specific data area; 0: none */
};

/* False: damaged, or a CIE. */
bool cfi_read_entry(const struct module *m, uint64_t offset, struct cfi_entry *out);

/* The entry whose code starts at `start`: by the sorted table of .eh_frame_hdr, or else (static programs have none) by reading all. */
bool cfi_find_entry(const struct module *m, uint64_t start, struct cfi_entry *out);

#endif
