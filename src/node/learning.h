/* The learner's seat in the supervisor: weaves what it wants to observe, feeds it the guests' records, keeps its budget, and decides when an epoch has ended
 * well. */
#ifndef NODE_LEARNING_H
#define NODE_LEARNING_H

#include "node/supervisor.h"

int learning_open(struct supervisor *s) __attribute__((warn_unused_result));
/* Takes what is left in the rings, and commits. */
void learning_close(struct supervisor *s);
void learning_module_loaded(struct supervisor *s, struct family *f, struct loaded *l);
/* All modules of a dynamic linker's step are known. live: code of them may be running. */
void learning_modules_ready(struct supervisor *s, struct family *f, bool live);
/* A family that could not be woven into for a while can be again. */
void learning_may_weave(struct supervisor *s);
void learning_module_unloaded(struct supervisor *s, struct family *f, struct loaded *l);
void learning_family_ended(struct supervisor *s, struct family *f);
/* A guest failed: what was observed since the last commit is not to be trusted. */
void learning_failed(struct supervisor *s);
void learning_tick(struct supervisor *s);
unsigned learning_patience_ms(const struct supervisor *s);

#endif
