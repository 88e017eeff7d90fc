/* Candidate repairs of a failure location (paper section 2.5): a table from kinds of invariants to repairs, and, beyond the paper, a table from
 * kinds of failures to repairs that need no invariant. */
#ifndef REPAIR_CANDIDATES_H
#define REPAIR_CANDIDATES_H

#include "repair/private.h"

/* Appends the repairs that make one invariant hold. */
int candidates_of_invariant(struct repair *r, const struct location *l, const struct invariant *i, patch_list *out);

/* Appends the repairs for this kind of failure, in the order in which they should be tried. */
int candidates_generic(struct repair *r, const struct location *l, patch_list *out);

/* An abort: can the call at its location, which ended in it, be skipped on the spot? */
bool candidates_can_cut_call(struct repair *r, const struct failure *f);

/* Puts those into the store that it doesn't have yet for this location, as PATCH_CANDIDATE. *added (may be NULL): how many. */
int candidates_store(struct repair *r, uint64_t location, patch_list *list, unsigned *added);

#endif
