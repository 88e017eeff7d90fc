/* Whether a process goes on serving after a repair has acted: input that arrives, followed by output that leaves, counted at the system calls of its libraries
 * for as long as somebody wants to know. Three rounds are better evidence than ten silent seconds. */
#ifndef NODE_SERVED_H
#define NODE_SERVED_H

#include "node/supervisor.h"

void served_begin(struct supervisor *s, pid_t pid);
void served_tick(struct supervisor *s);
void served_family_ended(struct supervisor *s, struct family *f);

#endif
