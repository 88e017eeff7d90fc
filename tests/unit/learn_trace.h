/* Made-up traces of real procedures: random walks through their control flow by several interleaved activations, with values of many characters. */
#ifndef TESTS_LEARN_TRACE_H
#define TESTS_LEARN_TRACE_H

#include "learn_code.h"
#include "reference_learn.h"

enum { TRACE_WALKERS = 6 };

struct trace {
	struct trace_record *at;
	size_t count, capacity;
	uint8_t *walker; /* by record: whose activation */
	size_t walker_count, walker_capacity;
};

extern const struct value_space trace_space;

/* At least `records` records, then every walker stops where it is. */
void trace_make(struct trace *t, struct dice *d, const struct procedure *p, const struct plan *plan, size_t records);
void trace_release(struct trace *t);

#endif
