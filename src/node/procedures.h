/* Decoded procedures and what analysis says about them, cached: the repair engine and the learner ask again and again. */
#ifndef NODE_PROCEDURES_H
#define NODE_PROCEDURES_H

#include "engine/procedure.h"
#include "learn/predominator.h"

/* The procedure that holds the offset; NULL: not code. The cache owns it. */
const struct procedure *procedures_get(struct module *m, uint64_t offset);
const struct predominators *procedures_predominators(struct module *m, uint64_t offset);
void procedures_free(void);

#endif
