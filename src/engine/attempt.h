/* A copy of a procedure and what its text becomes for it. Where not everything that is to be woven inline leaves room for springboards, less is woven. */
#ifndef ENGINE_ATTEMPT_H
#define ENGINE_ATTEMPT_H

#include "engine/image.h"

struct attempt {
	struct copy *copy;
	struct text_plan *plans;
	size_t plan_count;
	struct springboard_counts counts;
};

/* The best one. The resume addresses in `weaves` are its own. Returns 0 or -errno. */
int attempt_best(struct image *im, struct redirected *r, struct weave *weaves, size_t count, struct attempt *out) __attribute__((warn_unused_result));
/* Less could be woven into it. */
bool attempt_may_yield(const struct redirected *r);
/* It was the one that counts. */
void attempt_count(struct image *im, const struct attempt *a);

#endif
