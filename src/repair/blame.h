/* Which earlier repair is to blame for a failure at another point? (Paper section 2.6: a repair is a failure when the application fails within
 * its window.) Two degrees: the thread that the repair made go on fails on the spot, which is the repair's own doing and no location of its
 * own; or the process fails somewhere within the window, which counts against the repair unless, or until, that failure is seen without it. */
#ifndef REPAIR_BLAME_H
#define REPAIR_BLAME_H

#include "repair/private.h"

/* A trial in the failing thread whose procedure activation goes on, or returned so shortly ago that it must be the reason. */
int blame_find_on_the_spot(struct repair *r, const struct failure *f, int64_t failed_us, struct trial *out, bool *found);
int blame_on_the_spot(struct repair *r, const struct failure *f, const struct trial *t);

/* All trials in the process, of patches at other locations than this. Not for failures that were there before the patch first acted. */
int blame_windows(struct repair *r, const struct failure *f, uint64_t location, int64_t time_us);

/* What was put down to patches of other locations happened again in this process: those that are not on trial there are not to blame. */
int blame_take_back(struct repair *r, uint64_t location, pid_t pid);

#endif
