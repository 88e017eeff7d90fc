/* Guests that somebody else traces: a guest, or a debugger that isn't one. Breakpoints are put at entries, so calls are led back to these; and as long as the tracer
 * is there, text changes for failures only, since it would lose its breakpoints, and we what it puts back over our springboards. */
#ifndef NODE_TRACERS_H
#define NODE_TRACERS_H

#include <stdbool.h>
#include <sys/types.h>

struct guard_options;
struct supervisor;

/* Text changes in ways that a tracer would find out of place, or the gs base is the shadow's. */
bool tracers_matter(const struct guard_options *o);
/* A guest says that it is going to trace this thread. */
void tracers_announced(struct supervisor *s, pid_t tid);
/* Tracers that have come and gone. */
void tracers_tick(struct supervisor *s);

#endif
