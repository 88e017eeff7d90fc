#include "learn/activation.h"

#include <stdlib.h>
#include <string.h>

struct activation {
	uint64_t cfa, entry_sp;
	uint32_t pid;
	int64_t *values;
	uint64_t *present; /* bit set */
};

/* at[0] is the current one, the others follow by time of use. */
struct activations {
	size_t variables, words, max, count;
	struct activation at[];
};

static void *allocate(size_t count, size_t size)
{
	void *at = calloc(count ? count : 1, size);
	if (!at)
		abort();
	return at;
}

struct activations *activations_new(size_t variables, size_t max)
{
	struct activations *t = allocate(1, sizeof *t + max * sizeof t->at[0]);
	t->variables = variables;
	t->words = (variables + 63) / 64;
	t->max = max;
	return t;
}

static void release(struct activation *a)
{
	free(a->values);
	free(a->present);
}

void activations_forget_all(struct activations *t)
{
	for (size_t i = 0; i < t->count; i++)
		release(&t->at[i]);
	t->count = 0;
}

void activations_free(struct activations *t)
{
	if (!t)
		return;
	activations_forget_all(t);
	free(t);
}

bool activations_select(struct activations *t, uint32_t pid, uint64_t cfa)
{
	size_t i = 0;
	while (i < t->count && (t->at[i].cfa != cfa || t->at[i].pid != pid))
		i++;
	if (i == t->count)
		return false;
	struct activation found = t->at[i];
	memmove(&t->at[1], &t->at[0], i * sizeof t->at[0]);
	t->at[0] = found;
	return true;
}

/* At the front: a new one, or the one used longest ago. */
static void make_room(struct activations *t)
{
	struct activation a;
	if (t->count == t->max)
		a = t->at[--t->count];
	else
		a = (struct activation){.values = allocate(t->variables, sizeof *a.values), .present = allocate(t->words, sizeof *a.present)};
	memmove(&t->at[1], &t->at[0], t->count * sizeof t->at[0]);
	t->at[0] = a;
	t->count++;
}

void activations_enter(struct activations *t, uint32_t pid, uint64_t cfa, uint64_t sp)
{
	if (!activations_select(t, pid, cfa))
		make_room(t);
	struct activation *a = &t->at[0];
	a->pid = pid;
	a->cfa = cfa;
	a->entry_sp = sp;
	memset(a->present, 0, t->words * sizeof *a->present);
}

uint64_t activations_entry_sp(const struct activations *t)
{
	return t->at[0].entry_sp;
}

void activations_set(struct activations *t, size_t variable, int64_t value)
{
	t->at[0].values[variable] = value;
	t->at[0].present[variable / 64] |= 1ull << variable % 64;
}

void activations_clear(struct activations *t, size_t variable)
{
	t->at[0].present[variable / 64] &= ~(1ull << variable % 64);
}

bool activations_get(const struct activations *t, size_t variable, int64_t *value)
{
	*value = t->at[0].values[variable];
	return t->at[0].present[variable / 64] >> variable % 64 & 1;
}
