/* Counting without a call and without a byte of stack, for code that may leave none below its stack pointer: Go's, which knows how deep each procedure goes and
 * makes its stacks no larger. Where neither flags nor a register are dead (a block in two hundred), nothing is counted. */
#ifndef ENGINE_VISITS_INLINE_H
#define ENGINE_VISITS_INLINE_H

#include "engine/weave_inline.h"

struct visits_inline;

/* Counts what is visited (by instruction) in the word at the guest address `tally`, which may be far from the copy. by_block: what is counted is a whole block, anywhere in it. To be freed when
 * the copy has been made. */
struct visits_inline *visits_inline_new(const struct procedure *p, const bool *visited, bool by_block, uint64_t tally, bool is_far);
void visits_inline_free(struct visits_inline *v);
const struct inline_weaver *visits_inline_weaver(const struct visits_inline *v);

/* Is the procedure's code such? */
bool visits_inline_needed(const struct procedure *p);

#endif
