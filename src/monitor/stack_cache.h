/* A process's memory read in larger pieces: for walks over a whole, deep stack, while its thread stands still. */
#ifndef MONITOR_STACK_CACHE_H
#define MONITOR_STACK_CACHE_H

#include "monitor/stack.h"

enum { STACK_CACHE_BYTES = 1 << 16 };

struct stack_cache {
	const struct stack_view *process;
	uint64_t start;
	size_t size;
	uint8_t bytes[STACK_CACHE_BYTES];
};

/* The same view through the cache, which must outlive it, as `process` must. */
struct stack_view stack_cache_view(struct stack_cache *c, const struct stack_view *process);

#endif
