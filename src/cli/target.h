/* The program to run: found as execvp would, and checked before anything is started. Errors end the process: 127 not found, 126 can't be run. */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include <stddef.h>

void target_find(const char *name, char *path, size_t size);
void target_check(const char *path);

#endif
