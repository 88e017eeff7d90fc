/* Trials: a patch acted in a process, and it is being watched how the process goes on (paper section 2.6). Kept in memory; each is announced
 * by an event when it opens, so that a new supervisor can take it up. */
#ifndef REPAIR_TRIAL_H
#define REPAIR_TRIAL_H

#include "repair/private.h"

/* Opens a trial, or notes another activation within the open one. time_us: when it acted. */
int trial_open(struct repair *r, const struct patch *p, pid_t pid, pid_t tid, uint64_t cfa, int64_t time_us);

/* The open trial of a patch in a process, or NULL. Valid until the next change. */
struct trial *trial_find(struct repair *r, uint64_t patch, pid_t pid);

void trial_drop(struct repair *r, uint64_t patch, pid_t pid);
void trial_drop_process(struct repair *r, pid_t pid);

/* Takes up trials from the event log: those of processes that are guests here, younger than the success windows. */
int trial_recover(struct repair *r, int64_t now_us);

/* When the patch acted for the first time anywhere, as far as the event log reaches; INT64_MAX: it never did. */
int trial_first_us(struct repair *r, uint64_t patch, int64_t *out);

#endif
