/* Handing descriptors over to a process that shares neither mounts, pids, users nor /proc with us: through a pair of sockets that the process makes, of which we
 * take one end. */
#ifndef INJECT_HANDOVER_H
#define INJECT_HANDOVER_H

#include "inject/foothold.h"

enum { HANDOVER_MAX = 4 };

/* Who stands in the foothold gets copies of our descriptors, close-on-exec, numbered in `theirs`. scratch: a page of the process that nobody uses. Returns 0 or
 * -errno (-EMFILE: the process has no descriptors left; -EPERM: its files can't be reached). */
int handover(struct foothold *f, uint64_t scratch, const int *ours, size_t count, int *theirs) __attribute__((warn_unused_result));

/* The parts of it. A descriptor of another thread's, ours now; or -errno. */
int handover_take(pid_t tid, int number);
int handover_send(int end, const int *ours, size_t count) __attribute__((warn_unused_result));
/* The same file opened anew: what was mapped through a writable descriptor could be made writable later. Or -errno. */
int handover_read_only(int fd);

#endif
