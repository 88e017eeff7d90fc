#include "learn/tally.h"

#include <stdlib.h>
#include <string.h>

static struct tally_entry *entry_of(struct tally *t, uint64_t node)
{
	size_t at = 0;
	while (at < t->count && t->at[at].node < node)
		at++;
	if (at < t->count && t->at[at].node == node)
		return &t->at[at];
	t->at = realloc(t->at, (t->count + 1) * sizeof *t->at);
	if (!t->at)
		abort();
	memmove(&t->at[at + 1], &t->at[at], (t->count - at) * sizeof *t->at);
	t->count++;
	t->at[at] = (struct tally_entry){.node = node};
	return &t->at[at];
}

void tally_add(struct tally *t, uint64_t node, uint64_t samples)
{
	if (!samples)
		return;
	struct tally_entry *e = entry_of(t, node);
	e->samples += samples;
}

void tally_join(struct tally *into, const struct tally *from)
{
	for (size_t i = 0; i < from->count; i++) {
		struct tally_entry *e = entry_of(into, from->at[i].node);
		if (e->samples < from->at[i].samples)
			e->samples = from->at[i].samples;
	}
}

uint64_t tally_total(const struct tally *t)
{
	uint64_t total = 0;
	for (size_t i = 0; i < t->count; i++)
		total += t->at[i].samples;
	return total;
}

void tally_release(struct tally *t)
{
	free(t->at);
	*t = (struct tally){0};
}
