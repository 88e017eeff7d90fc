/* Letting go of a process: step by step in the supervisor's loop, since its threads may need answers before they are out of the blob. */
#ifndef NODE_DETACH_H
#define NODE_DETACH_H

#include "node/control.h"
#include "node/supervisor.h"

struct detaching;

/* Begins; answers the command when it is done or can't be. */
void detach_begin(struct supervisor *s, const struct control_message *from);
/* The next step of all that are under way. */
void detach_continue(struct supervisor *s);
bool detach_is_under_way(const struct supervisor *s);
bool detach_concerns(const struct supervisor *s, pid_t pid);
void detach_close(struct supervisor *s);

#endif
