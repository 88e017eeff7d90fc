/* Where a module's allocator lies, if it has one: the procedures that it exports for it, and those they call, as far as they lie close together (a source file's
 * are). */
#ifndef NODE_ALLOCATOR_H
#define NODE_ALLOCATOR_H

#include "engine/module.h"

/* Module offsets; end 0: none. */
struct range allocator_procedures(struct module *m);

#endif
