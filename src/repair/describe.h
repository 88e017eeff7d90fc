/* Patches, invariants and program points as an operator reads them: in events, listings and reports. All write at most `size` bytes,
 * NUL included, and return `text`. */
#ifndef REPAIR_DESCRIBE_H
#define REPAIR_DESCRIBE_H

#include "node/store.h"

#include <stddef.h>

/* "libcoap-3-notls.so.3.0.0+0x1a2b3". `s` may be NULL: then the module's key, shortened, stands for its name. */
char *describe_point(struct store *s, const struct point *at, char *text, size_t size);

/* "rax at +0x1a2b3 in {0, 1}" */
char *describe_invariant(const struct invariant *i, char *text, size_t size);

/* "return 0 from the procedure when the instruction faults" */
char *describe_patch(const struct patch *p, char *text, size_t size);

#endif
