/* What a procedure that is cut short should return. */
#ifndef REPAIR_RETURN_VALUES_H
#define REPAIR_RETURN_VALUES_H

#include "repair/private.h"

/* Up to `max` values, best first: those the procedure was seen to return in normal executions, else those its code returns. *count 0: nothing
 * is known, leave rax as it is. */
int return_values(struct repair *r, const struct module_key *module, uint64_t procedure, int64_t *out, size_t max, size_t *count);

#endif
