/* The state folder's rows of the guests (`clearview ps`), kept up to date in batches: a process that comes and goes within one costs nothing. */
#ifndef NODE_GUEST_ROWS_H
#define NODE_GUEST_ROWS_H

#include "node/supervisor.h"

struct guest_rows;

struct guest_rows *guest_rows_open(struct supervisor *s);
/* Rows of processes that were just taken over keep their start. */
void guest_rows_inherit(struct guest_rows *g);
/* Now and then: writes what changed. */
void guest_rows_tick(struct guest_rows *g);
/* All of them, now. */
void guest_rows_flush(struct guest_rows *g);
/* Something changed that should not wait for long: milliseconds until the next tick should come. */
unsigned guest_rows_patience_ms(const struct guest_rows *g);
/* The last process of the family has ended. */
void guest_rows_family_ended(struct guest_rows *g, const struct family *f);
/* The supervisor ends: removes its rows. */
void guest_rows_close(struct guest_rows *g);

#endif
