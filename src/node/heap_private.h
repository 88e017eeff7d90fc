/* Private to weave_heap.c, heap_watch.c and heap_failures.c. */
#ifndef NODE_HEAP_PRIVATE_H
#define NODE_HEAP_PRIVATE_H

#include "base/vec.h"
#include "node/heap_watch.h"

struct heap_scan;

struct heap_watch {
	bool decided;    /* which module's allocator is detoured */
	bool wished;
	uint32_t wanted; /* bit per index of guest_tables.original[] */
	VEC(struct heap_scan *) scans;
	struct module_key allocator;
	VEC(uint64_t) entries;      /* module offsets of its detoured procedures */
	VEC(pid_t) damaged;         /* processes whose heap is known to be */
};

struct heap_watch *heap_watch_of(struct family *f);

#endif
