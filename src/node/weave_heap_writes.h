/* The strict monitor "heap": every write through a register is checked inline against the check map (clearview/guest.h) before it happens. */
#ifndef NODE_WEAVE_HEAP_WRITES_H
#define NODE_WEAVE_HEAP_WRITES_H

#include "node/family.h"

/* Before the program is set up. */
void weave_heap_writes_begin(struct family *f);
/* Before the module's first copy. */
void weave_heap_writes_module_loaded(struct family *f, struct loaded *l);
void weave_heap_writes_module_unloaded(struct loaded *l);
/* The procedure at this offset is an allocator's own: it writes to what is nobody else's. */
bool weave_heap_writes_is_allocator(const struct loaded *l, uint64_t offset);

#endif
