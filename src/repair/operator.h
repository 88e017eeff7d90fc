/* What an operator may do to patches. These change the store only, in one transaction each; supervisors follow at their next repair_reload().
 * They return 0, -ENOENT for an unknown id, -EALREADY when it is so already, or the store's error. */
#ifndef REPAIR_OPERATOR_H
#define REPAIR_OPERATOR_H

#include "node/store.h"

/* Takes the patch out for good. Its location gets another one at its next failure, not before: taking one out is no reason to try another. */
int operator_disable(struct store *s, uint64_t patch);

/* Puts the patch in force, in place of the one that is in force at its location. Also for candidates and discarded ones. */
int operator_enable(struct store *s, uint64_t patch);

/* Evaluation goes on counting, but never takes the patch out. Puts it in force. */
int operator_pin(struct store *s, uint64_t patch);
int operator_unpin(struct store *s, uint64_t patch);

/* Deletes the patch. It may be made again when its location is detected anew. */
int operator_remove(struct store *s, uint64_t patch);

#endif
