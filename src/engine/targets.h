/* Text addresses that a module's procedures may send control to from outside the procedure that is there: direct jumps and calls from one into another, or from code
 * that no known flow leads to (it stays native); and what instructions take the address of (`lea label(%rip)`, and immediates and data words where the module
 * lies at a fixed address). */
#ifndef ENGINE_TARGETS_H
#define ENGINE_TARGETS_H

#include "engine/module.h"

/* Is the offset such an address? The first question decodes all procedures. */
bool module_is_target(struct module *m, uint64_t offset);

#endif
