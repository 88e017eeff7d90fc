/* Processes and their descendants. */
#ifndef CLI_PROCESS_TREE_H
#define CLI_PROCESS_TREE_H

#include <sys/types.h>

#include "base/vec.h"

typedef VEC(pid_t) pid_list;

/* Appends all descendants of those in the list. */
void process_tree(pid_list *pids);

#endif
