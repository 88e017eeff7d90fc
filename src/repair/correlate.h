/* Which learned invariants may have to do with a failure, and, after checks have watched them, which do (paper section 2.4). */
#ifndef REPAIR_CORRELATE_H
#define REPAIR_CORRELATE_H

#include "learn/evaluate.h" /* invariant_point(), invariant_same() */
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

/* Appends the candidate correlated invariants of the failure: those whose point predominates the failure in the failing procedure or, if it
 * has none, in the lowest caller that has some; invariants over two variables only from the failing block. */
int correlate_candidates(struct repair *r, const struct failure *f, invariant_list *out);

#endif
