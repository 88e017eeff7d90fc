/* Procedure ranges of Go code, which has no .eh_frame: from the table that the Go runtime itself finds procedures with. */
#ifndef ENGINE_MODULE_GO_H
#define ENGINE_MODULE_GO_H

#include "engine/module_frames.h"

/* The file has that section. Needs m->elf. */
bool module_has_go(const struct module *m);

/* The Go procedure at that offset begins by asking for room on the stack, and so has 800 bytes below its own frame. Others may have none. */
bool module_go_has_room(const struct module *m, uint64_t entry);

/* Appends the ranges of the file's .gopclntab section (Go 1.18 and later); nothing where there is none. Bounds-checked. Needs m->elf. */
void module_read_go(const struct module *m, range_list *ranges);

#endif
