/* Whether a running process can be attached to: what can be seen from outside, before anything is touched. */
#ifndef CLI_ATTACHABLE_H
#define CLI_ATTACHABLE_H

#include <stddef.h>
#include <sys/types.h>

/* 0, or the exit code to end with (EXIT_NOT_FOUND: no such process; EXIT_CANNOT_RUN) and the reason. */
int attachable(pid_t pid, char *why, size_t size);

#endif
