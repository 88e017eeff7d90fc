/* Ranking by the paper's section 2.6: score = (s - f) + b, then the earlier instruction, then state before control flow, then the patches that
 * need no invariant. One line a comparison: the left patch is the better one. */
#include "repair/rank.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *why;
	struct patch better, worse;
} rows[] = {
	{"a success", {.guard = GUARD_INVARIANT, .successes = 1}, {.guard = GUARD_INVARIANT}},
	{"no failure", {.guard = GUARD_INVARIANT}, {.guard = GUARD_INVARIANT, .failures = 1}},
	{"a failure costs the bonus too", {.guard = GUARD_FAULT, .successes = 1}, {.guard = GUARD_INVARIANT, .successes = 2, .failures = 1}},
	{"score before everything else", {.guard = GUARD_FAULT, .successes = 1, .at.offset = 9, .action = ACTION_RETURN},
	 {.guard = GUARD_INVARIANT, .at.offset = 1, .action = ACTION_SET}},
	{"many successes outweigh a failure", {.guard = GUARD_FAULT, .successes = 9, .failures = 1}, {.guard = GUARD_FAULT, .successes = 6}},
	{"earlier instruction", {.guard = GUARD_INVARIANT, .at.offset = 1, .id = 2}, {.guard = GUARD_INVARIANT, .at.offset = 2, .id = 1}},
	{"earlier even if it changes control flow", {.guard = GUARD_INVARIANT, .at.offset = 1, .action = ACTION_RETURN},
	 {.guard = GUARD_INVARIANT, .at.offset = 2, .action = ACTION_SET}},
	{"state before control flow: skip", {.guard = GUARD_INVARIANT, .action = ACTION_SET, .id = 2}, {.guard = GUARD_INVARIANT, .action = ACTION_SKIP, .id = 1}},
	{"state before control flow: return", {.guard = GUARD_INVARIANT, .action = ACTION_SET_EQUAL, .id = 2},
	 {.guard = GUARD_INVARIANT, .action = ACTION_RETURN, .depth = 1, .id = 1}},
	{"skip undoes less than return", {.guard = GUARD_INVARIANT, .action = ACTION_SKIP, .id = 2},
	 {.guard = GUARD_INVARIANT, .action = ACTION_RETURN, .depth = 1, .id = 1}},
	{"generic last", {.guard = GUARD_INVARIANT, .at.offset = 5, .action = ACTION_RETURN, .id = 2}, {.guard = GUARD_FAULT, .at.offset = 1, .action = ACTION_SKIP, .id = 1}},
	{"generic in the order of their making", {.guard = GUARD_FAULT, .action = ACTION_RETURN, .depth = 2, .at.offset = 3, .id = 1},
	 {.guard = GUARD_FAULT, .action = ACTION_SKIP, .at.offset = 2, .id = 2}},
	{"first made", {.guard = GUARD_INVARIANT, .action = ACTION_SET, .id = 1}, {.guard = GUARD_INVARIANT, .action = ACTION_SET, .id = 2}},
};

static void test_order(void **state)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rank_compare(&rows[i].better, &rows[i].worse, 1) >= 0 || rank_compare(&rows[i].worse, &rows[i].better, 1) <= 0)
			fail_msg("%s", rows[i].why);
}

static void test_score(void **state)
{
	assert_int_equal(rank_score(&(struct patch){0}, 1), 1);
	assert_int_equal(rank_score(&(struct patch){.successes = 4}, 1), 5);
	assert_int_equal(rank_score(&(struct patch){.successes = 4, .failures = 1}, 1), 3);
	assert_int_equal(rank_score(&(struct patch){.failures = 2}, 1), -2);
	assert_int_equal(rank_score(&(struct patch){.successes = 1}, 7), 8);
}

static struct patch random_patch(unsigned *seed, uint64_t id)
{
	return (struct patch){.id = id, .at.offset = rand_r(seed) % 3, .guard = rand_r(seed) % 4, .action = rand_r(seed) % 5,
			      .depth = rand_r(seed) % 3, .successes = rand_r(seed) % 2, .failures = rand_r(seed) % 2};
}

/* A total order: exactly one of a < b, b < a for different patches, and transitive. */
static void test_is_an_order(void **state)
{
	unsigned seed = 1;
	for (int n = 0; n < 20000; n++) {
		struct patch a = random_patch(&seed, 1), b = random_patch(&seed, 2), c = random_patch(&seed, 3);
		int ab = rank_compare(&a, &b, 1), bc = rank_compare(&b, &c, 1), ac = rank_compare(&a, &c, 1);
		assert_true((ab < 0) != (rank_compare(&b, &a, 1) < 0));
		if (ab < 0 && bc < 0)
			assert_true(ac < 0);
		if (ab > 0 && bc > 0)
			assert_true(ac > 0);
	}
}

static bool not_first(void *context, const struct patch *p)
{
	return p->id != *(uint64_t *)context;
}

static void test_best(void **state)
{
	const struct patch patches[] = {
		{.id = 1, .successes = 5}, {.id = 2, .successes = 9, .state = PATCH_DISABLED}, {.id = 3, .successes = 3}, {.id = 4, .failures = 1},
	};
	uint64_t one = 1;
	assert_int_equal(rank_best(patches, 4, 1, NULL, NULL)->id, 1);
	assert_int_equal(rank_best(patches, 4, 1, not_first, &one)->id, 3);
	assert_null(rank_best(patches + 1, 1, 1, NULL, NULL));
	assert_null(rank_best(patches, 0, 1, NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order), cmocka_unit_test(test_score), cmocka_unit_test(test_is_an_order), cmocka_unit_test(test_best),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
