/* Learning as the paper defines it, slow and straightforward: the whole trace in memory, every variable, every pair, every sample. Shares nothing with
 * src/learn but the plan's list of variables. */
#ifndef TESTS_REFERENCE_LEARN_H
#define TESTS_REFERENCE_LEARN_H

#include "learn/plan.h"
#include "learn/pointer.h"

struct trace_record {
	uint32_t point; /* of the plan */
	struct guest_record record;
};

typedef void reference_visitor(void *context, const struct invariant *i);
void reference_learn(const struct procedure *p, const struct plan *plan, const struct value_space *space, const struct trace_record *trace, size_t count,
	uint64_t min_samples, reference_visitor *visit, void *context);

#endif
