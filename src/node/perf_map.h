/* /tmp/perf-PID.map of each guest (--perf-map): `perf report` and its like read there what code made at run time is called. A line is
 *
 *      START SIZE procedure@module [copy]
 *
 * in hexadecimal; without a symbol the procedure is its offset in the module, as +0x1234. */
#ifndef NODE_PERF_MAP_H
#define NODE_PERF_MAP_H

#include "node/family.h"

/* Appends what is new since the last call. The file is made, or emptied, when a process is seen for the first time. */
void perf_map_update(struct family *f);

#endif
