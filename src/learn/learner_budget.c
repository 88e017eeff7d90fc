/* The bucket of CPU time that learning may use. */
#include "learn/learner_private.h"

enum { BUCKET_SECONDS = 2 };

void budget_init(struct budget *b, unsigned percent)
{
	int64_t capacity = (int64_t)percent * BUCKET_SECONDS * 10000000;
	*b = (struct budget){.capacity = capacity, .level = capacity, .last_us = -1, .full_us = -1};
}

/* Debts are limited, so that one long step does not stop learning for minutes. */
void budget_spend(struct budget *b, int64_t ns)
{
	b->spent_ns += ns;
	b->level -= ns;
	if (b->level < -4 * b->capacity)
		b->level = -4 * b->capacity;
}

void budget_fill(struct budget *b, unsigned percent, int64_t now_us)
{
	int64_t elapsed = b->last_us < 0 ? 0 : now_us - b->last_us;
	int64_t longest = 1000000ll * BUCKET_SECONDS * 5;
	b->last_us = now_us;
	b->level += (elapsed < longest ? elapsed : longest) * percent * 10;
	if (b->level > b->capacity)
		b->level = b->capacity;
	if (b->level < b->capacity / 2)
		b->full_us = -1;
	else if (b->full_us < 0)
		b->full_us = now_us;
}
