/* After-call addresses: does a call end here? */
#ifndef MONITOR_LOCATE_CALL_H
#define MONITOR_LOCATE_CALL_H

#include "engine/module.h"

/* True if a call instruction of the module's text ends at `after_call` (a module offset); *call is its offset. Where .eh_frame tells
 * where the procedure starts, the instruction has to lie on the boundaries counted from there. */
bool locate_is_call(const struct module *m, uint64_t after_call, uint64_t *call);

#endif
