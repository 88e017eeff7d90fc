/* workers.h - one process, or a parent and its workers; one thread each, or several. */
#ifndef GAZETTE_WORKERS_H
#define GAZETTE_WORKERS_H

#include "buf.h"

#define WORKERS_MAX 16

/* Serve with this many processes (0: in this one) of so many threads. Returns only on failure. */
int workers_run(int listener, int processes, int threads);

/* "worker PID" lines, for the operator. */
void workers_list(struct buf *out);

#endif
