/* Checking patches of a location: made from the candidate correlated invariants, tallied, and classified (paper section 2.4). */
#ifndef REPAIR_CHECKS_H
#define REPAIR_CHECKS_H

#include "repair/correlate.h"

/* Stores checks for the location's last failure that it doesn't have yet. *added: how many. */
int checks_make(struct repair *r, const struct location *l, unsigned *added);

/* Brings what all checks in force have tallied into the store. */
int checks_collect(struct repair *r);

/* The location failed: what did its checks say last in the failing thread? *observed: they had the chance to say something. */
int checks_before_failure(struct repair *r, const struct location *l, bool *observed);

/* Decides every check's correlation and stores it; appends the checks to *out. *best: the highest one found. */
int checks_classify(struct repair *r, const struct location *l, check_list *out, enum correlation *best);

#endif
