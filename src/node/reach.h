/* Getting at the memory that orphans share: by its files, or, without the privilege to open those, by putting copies in their place. */
#ifndef NODE_REACH_H
#define NODE_REACH_H

#include "inject/boot.h"
#include "node/orphans.h"

/* The bell of the orphans; *is_copy: a new one, which reach_join puts in its place. Returns a descriptor or -errno. */
int reach_bell(const struct orphan *o, bool *is_copy);
/* The memory of the family that the orphan is of. Where it is a copy, reach_join must follow. */
int reach_family(const struct orphan *o, bool as_copy, struct guest_memory *out) __attribute__((warn_unused_result));
/* Makes an orphan use the copies. */
int reach_join(const struct orphan *o, const struct guest_memory *copy, int bell) __attribute__((warn_unused_result));

#endif
