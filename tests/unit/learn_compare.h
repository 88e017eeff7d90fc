/* Sets of invariants, for comparing two ways of learning. */
#ifndef TESTS_LEARN_COMPARE_H
#define TESTS_LEARN_COMPARE_H

#include <clearview/invariant.h>
#include <stdbool.h>
#include <stddef.h>

struct invariant_set {
	struct invariant *at;
	size_t count, capacity;
};

void set_add(void *set, const struct invariant *i);
int set_visit(void *set, const struct invariant *i); /* likewise, as a visitor that goes on */
void set_release(struct invariant_set *s);
/* Sorts both; prints the first difference. True: equal; samples: so must the sample counts be. */
bool set_equal(struct invariant_set *a, struct invariant_set *b, bool samples);
size_t set_count(const struct invariant_set *s, enum invariant_kind kind);

#endif
