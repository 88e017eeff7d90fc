/* Which modules there are and where they lie, for the store: written a moment after they were seen, because writing waits for the disk and their
 * programs would wait with it. */
#ifndef NODE_SEEN_MODULES_H
#define NODE_SEEN_MODULES_H

#include "engine/module.h"
#include "node/store.h"

/* Once a supervisor and module; the module must last until seen_modules_forget. */
void seen_modules_note(const struct module *m);
/* Writes what was noted. */
void seen_modules_flush(struct store *s);
void seen_modules_forget(void);

#endif
