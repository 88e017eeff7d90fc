/* A store in memory for the learner, which can be told to fail. */
#ifndef TESTS_LEARN_SINK_H
#define TESTS_LEARN_SINK_H

#include "learn/learner.h"
#include "learn_compare.h"

struct sink_row {
	uint64_t procedure;
	void *bytes;
	size_t size;
};

struct sink {
	struct sink_row *rows;
	size_t row_count;
	struct invariant_set invariants;
	uint64_t next_id;
	int calls_until_failure; /* the call that fails, counted from 1; 0: none */
	struct sink *saved;      /* while in a transaction: what rollback brings back */
	struct learner_sink functions;
};

void sink_init(struct sink *s);
void sink_release(struct sink *s);
/* The stored state of a procedure; false: none. state_release it. */
bool sink_state(const struct sink *s, uint64_t procedure, struct state *out);

#endif
