/* A new supervisor for guests whose supervisor is gone: their springboards, copies and patches have gone on working meanwhile. */
#ifndef NODE_ADOPT_H
#define NODE_ADOPT_H

/* Finds the orphans of the state folder and becomes their supervisor in the background. Returns the exit code to end with. */
int adopt_orphans(const char *state);

#endif
