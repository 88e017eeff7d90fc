/* sp-offset: the stack pointer here = the stack pointer at the procedure's entry - c. Joins by logical and of "always the same c". */
#ifndef LEARN_SP_OFFSET_H
#define LEARN_SP_OFFSET_H

#include <clearview/invariant.h>
#include <stdbool.h>

struct sp_offset {
	bool seen, dropped; /* dropped: seen is false, bound 0 */
	int64_t bound;
};

bool sp_offset_observe(struct sp_offset *s, int64_t bound);
bool sp_offset_violates(const struct sp_offset *s, int64_t bound);
void sp_offset_merge(struct sp_offset *into, const struct sp_offset *from);
bool sp_offset_invariant(const struct sp_offset *s, struct invariant *out);

#endif
