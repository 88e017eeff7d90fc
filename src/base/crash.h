/* A supervisor that crashes is replaced by its keeper, and nobody would hear of it: it leaves a word in the log. */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

/* From now on a fatal signal of this process's own making is logged, with the call stack, before it takes its course. Not where something else,
 * as a sanitizer, has a handler for it. */
void crash_log_arm(void);

#endif
