/* Which guests of the state are really there. A row may outlive its process, and a process its supervisor, when the supervisor was killed. */
#ifndef CLI_GUESTS_H
#define CLI_GUESTS_H

#include "base/vec.h"
#include "node/store.h"

typedef VEC(struct guest_row) guest_list;

/* Appends the guests that live. 0 or the store's error. */
int guests_living(struct store *s, guest_list *out);
bool guest_is_supervised(const struct guest_row *g);
/* Of the living ones: those whose supervisor is gone. */
unsigned guests_orphaned(struct store *s);

#endif
