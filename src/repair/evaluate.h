/* Evaluation (paper section 2.6): successes and failures of patches, which one of a location is in force, and why. It never ends: a
 * patch kept for months is demoted when it fails, and comes back when the others do worse. All functions run within a transaction. */
#ifndef REPAIR_EVALUATE_H
#define REPAIR_EVALUATE_H

#include "repair/private.h"

/* A trial of the patch went well. */
int evaluate_succeeded(struct repair *r, uint64_t patch, pid_t pid, const char *why);

/* It did not: the patch is taken out, unless pinned, and the next one put in force. A patch that doesn't exist any more is no error. */
int evaluate_failed(struct repair *r, uint64_t patch, pid_t pid, const char *why);

/* Sees to it that the location has a patch in force, if one is worth it. `except`: not this one as long as there is another that has not
 * done worse than to be useless; 0: none. Updates *l. */
int evaluate_select(struct repair *r, struct location *l, uint64_t except);

/* A failure that was put down to a patch elsewhere turned out to happen without it: the patch takes its place again, unless what stands there has
 * done better. */
int evaluate_absolve(struct repair *r, uint64_t patch, const char *why);

#endif
