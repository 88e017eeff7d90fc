/* A procedure that is cut short has not done its work, and should say so. By convention that is a negative number, then 0 or NULL; so of
 * the values a procedure is known to return, negative ones come first, those nearest 0 leading, then 0, then positive ones. Where 0 means
 * success instead (0 and positive error numbers) the caller goes on with less than it thinks it has; evaluation finds out. */
#include "repair/return_values.h"

#include <stdlib.h>

enum { VALUES_MAX = 4 * ONE_OF_MAX };

/* Negative, zero, positive; within each by magnitude. */
static int by_failure_convention(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
	if ((a < 0) != (b < 0))
		return a < 0 ? -1 : 1;
	if (a < 0)
		return a > b ? -1 : a < b;
	return a < b ? -1 : a > b;
}

static size_t add(int64_t *values, size_t count, int64_t value)
{
	for (size_t i = 0; i < count; i++)
		if (values[i] == value)
			return count;
	if (count < VALUES_MAX)
		values[count++] = value;
	return count;
}

/* From every return instruction's learned one-of. Module offsets are no good as values: a patch carries none. */
static int learned(struct repair *r, const struct module_key *module, uint64_t procedure, int64_t *values, size_t *count)
{
	invariant_list all = {0};
	int err = load_invariants(r->store, module, procedure, &all);
	for (size_t i = 0; i < all.count; i++) {
		const struct invariant *v = &all.at[i];
		if (v->kind != INVARIANT_ONE_OF || v->a.slot != SLOT_RETURN)
			continue;
		for (uint32_t n = 0; n < v->count && n < ONE_OF_MAX; n++)
			if (!(v->relative >> n & 1))
				*count = add(values, *count, v->value[n]);
	}
	vec_free(&all);
	return err;
}

int return_values(struct repair *r, const struct module_key *module, uint64_t procedure, int64_t *out, size_t max, size_t *count)
{
	int64_t values[VALUES_MAX];
	size_t found = 0;
	int err = learned(r, module, procedure, values, &found);
	if (err)
		return err;
	if (found) {
		qsort(values, found, sizeof *values, by_failure_convention);
		*count = found < max ? found : max;
		memcpy(out, values, *count * sizeof *out);
		return 0;
	}
	*count = max ? r->host.return_values(r->host.context, module, procedure, out, max) : 0;
	if (*count > max)
		*count = max;
	return 0;
}
