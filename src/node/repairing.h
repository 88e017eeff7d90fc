/* The repair engine's seat in the supervisor: its host callbacks, and when it is called. */
#ifndef NODE_REPAIRING_H
#define NODE_REPAIRING_H

#include "node/supervisor.h"
#include "repair/repair.h"

/* Sets s->repair and s->enforcement up. 0 or -errno. */
int repairing_open(struct supervisor *s) __attribute__((warn_unused_result));
void repairing_close(struct supervisor *s);

void repairing_failure(struct supervisor *s, const struct failure *f, struct repair_verdict *verdict);
/* What came of the verdict. */
void repairing_outcome(struct supervisor *s, const struct failure *f, const struct repair_verdict *verdict, bool goes_on);
void repairing_process_ended(struct supervisor *s, pid_t pid);
/* Reads tallies, moves evaluations on, notices what others wrote into the store. */
void repairing_tick(struct supervisor *s);
/* Milliseconds until it wants to be called again. */
unsigned repairing_patience_ms(const struct supervisor *s);
/* A command changed the store: puts the change in force now. */
void repairing_reload(struct supervisor *s);

#endif
