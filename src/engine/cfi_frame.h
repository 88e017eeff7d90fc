/* Private to cfi*.c: elfutils' view of one frame state. */
#ifndef ENGINE_CFI_FRAME_H
#define ENGINE_CFI_FRAME_H

#include "engine/cfi.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

enum { CFI_DWARF_RETURN = 16, CFI_DWARF_COUNT = 17 };

/* Hardware number of DWARF's general registers 0..15. */
extern const uint8_t cfi_from_dwarf[REG_COUNT];

/* The frame state at an offset; free(*out). Returns 0, -ENOENT or -EBADMSG. */
int cfi_frame_at(const struct module *m, uint64_t offset, Dwarf_Frame **out);

/* The signed offset of a "breg" operation with a general register; false for any other operation. */
bool cfi_base_register(const Dwarf_Op *op, uint8_t *reg, int64_t *offset);

#endif
