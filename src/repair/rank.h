/* Which patch of a location is best (paper section 2.6): score = (s - f) + b; ties: the earlier instruction first, a change of state before a
 * change of control flow; those that need no invariant after all others. */
#ifndef REPAIR_RANK_H
#define REPAIR_RANK_H

#include <clearview/patch.h>
#include <stdbool.h>
#include <stddef.h>

int rank_score(const struct patch *p, int bonus);

/* Made from no invariant. */
bool patch_is_generic(const struct patch *p);

/* < 0: a is the better one. Generic patches of one score keep the order they were made in, which is the order of their table. */
int rank_compare(const struct patch *a, const struct patch *b, int bonus);

/* The best of those the predicate allows (NULL: all but disabled ones), or NULL. */
const struct patch *rank_best(const struct patch *patches, size_t count, int bonus,
			      bool (*allows)(void *context, const struct patch *p), void *context);

#endif
