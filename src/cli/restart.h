/* Running a program again when it ends: a parent that starts it, passes signals on and waits. */
#ifndef CLI_RESTART_H
#define CLI_RESTART_H

enum restart_policy { RESTART_NEVER, RESTART_ON_FAILURE, RESTART_ALWAYS };

int restart_parse(const char *text, enum restart_policy *out);

/* Whether the program has been told to end: a word that children share, to be made before restart_run(). */
const volatile int *restart_told_to_end(void);

/* start() is called in a fresh child and becomes the program. Returns the exit status to end with; a death by signal is repeated on this process. */
int restart_run(enum restart_policy policy, void (*start)(void *context), void *context);

#endif
