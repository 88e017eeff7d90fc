/* How many samples each node has seen: a grow-only counter. Joining takes each node's maximum, so a count may arrive twice or late. */
#ifndef LEARN_TALLY_H
#define LEARN_TALLY_H

#include <stddef.h>
#include <stdint.h>

struct tally_entry {
	uint64_t node, samples;
};

struct tally {
	struct tally_entry *at; /* ascending by node */
	size_t count;
};

/* What this node has seen in addition. */
void tally_add(struct tally *t, uint64_t node, uint64_t samples);
void tally_join(struct tally *into, const struct tally *from);
uint64_t tally_total(const struct tally *t);
void tally_release(struct tally *t);

#endif
