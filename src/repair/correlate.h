/* Which learned invariants may have to do with a failure, and, after checks have watched them, which do (paper section 2.4). */
#ifndef REPAIR_CORRELATE_H
#define REPAIR_CORRELATE_H

#include "repair/private.h"

/* Stored in struct check. */
enum correlation {
	CORRELATION_UNDECIDED,
	CORRELATION_NOT,        /* never violated */
	CORRELATION_SLIGHTLY,   /* violated, but not before every failure */
	CORRELATION_MODERATELY, /* violated at the last check before every failure, and sometimes elsewhere */
	CORRELATION_HIGHLY,     /* violated at the last check before every failure, satisfied at all other checks */
	CORRELATION_COUNT,
};
extern const char *const correlation_names[CORRELATION_COUNT];

/* `failures`: how many failures the check was in force for, at least 1. */
enum correlation correlation_of(const struct check *c, unsigned failures);

/* The point at which an invariant is checked and enforced: where the last of its values is read. */
const struct point *invariant_point(const struct invariant *i);

/* Kind and variables are the same, whatever the values. */
bool invariant_same(const struct invariant *a, const struct invariant *b);

/* Appends the candidate correlated invariants of the failure: those whose point predominates the failure in the failing procedure or, if it
 * has none, in the lowest caller that has some; invariants over two variables only from the failing block. */
int correlate_candidates(struct repair *r, const struct failure *f, invariant_list *out);

#endif
