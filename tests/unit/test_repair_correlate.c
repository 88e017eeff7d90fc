/* Correlation: which invariants are suspects, and how checks classify them, against the paper's definitions played through literally. */
#include "repair/candidates.h"
#include "repair/checks.h"
#include "repair/correlate.h"
#include "repair_sim.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* --- Classification. A history of checks: s, v = satisfied, violated; F = failure. The definition is on the history. */

static enum correlation by_definition(const char *history)
{
	bool before_all = true, elsewhere = false, ever = false;
	for (const char *c = history; *c; c++) {
		bool last = c[1] == 'F';
		if (*c == 'F') {
			before_all &= c > history && c[-1] == 'v';
			continue;
		}
		ever |= *c == 'v';
		elsewhere |= *c == 'v' && !last;
	}
	if (before_all)
		return elsewhere ? CORRELATION_MODERATELY : CORRELATION_HIGHLY;
	return ever ? CORRELATION_SLIGHTLY : CORRELATION_NOT;
}

static struct check tally(const char *history, unsigned *failures)
{
	struct check c = {0};
	*failures = 0;
	for (; *history; history++) {
		bool last = history[1] == 'F';
		if (*history == 'F')
			++*failures;
		else if (*history == 'v')
			last ? (void)c.violated_before_failure++ : (void)c.violated_elsewhere++;
		else
			last ? (void)c.satisfied_before_failure++ : (void)c.satisfied_elsewhere++;
	}
	return c;
}

static void test_classes(void **state)
{
	static const struct {
		const char *history;
		enum correlation class;
	} rows[] = {
		{"ssvF", CORRELATION_HIGHLY}, {"vF", CORRELATION_HIGHLY}, {"svFsvF", CORRELATION_HIGHLY},
		{"vsvF", CORRELATION_MODERATELY}, {"vvF", CORRELATION_MODERATELY}, {"svFvsvF", CORRELATION_MODERATELY},
		{"svFssF", CORRELATION_SLIGHTLY}, {"vsF", CORRELATION_SLIGHTLY}, {"sF", CORRELATION_NOT}, {"ssFsF", CORRELATION_NOT}, {"F", CORRELATION_NOT},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned failures;
		struct check c = tally(rows[i].history, &failures);
		if (correlation_of(&c, failures) != rows[i].class)
			fail_msg("%s is %s", rows[i].history, correlation_names[correlation_of(&c, failures)]);
	}
}

static void test_random_histories(void **state)
{
	unsigned seed = 7;
	for (int n = 0; n < 50000; n++) {
		char history[16];
		unsigned length = 1 + rand_r(&seed) % 10, failures;
		for (unsigned i = 0; i < length; i++)
			history[i] = "svF"[rand_r(&seed) % 3];
		history[length] = 'F';
		history[length + 1] = 0;
		struct check c = tally(history, &failures);
		if (correlation_of(&c, failures) != by_definition(history))
			fail_msg("%s: %s, by definition %s", history, correlation_names[correlation_of(&c, failures)],
				 correlation_names[by_definition(history)]);
	}
}

/* --- Suspects. Two procedures on a stack: the failing one at 0x1000, its caller at 0x2000. */

static const struct module_key module = {"c0ffee"};

struct fixture {
	char *folder;
	struct store *store;
	struct repair r;
	enum repair_site site;
};

static bool predominates(void *context, const struct module_key *m, uint64_t procedure, uint64_t a, uint64_t b)
{
	/* 0x1030 .. 0x103f lies on one branch only. */
	return a >= procedure && a <= b && !(a >= 0x1030 && a < 0x1040);
}

static bool same_block(void *context, const struct module_key *m, uint64_t procedure, uint64_t a, uint64_t b)
{
	return a >> 4 == b >> 4;
}

static enum repair_site site(void *context, const struct point *at)
{
	return ((struct fixture *)context)->site;
}

static bool call_returns(void *context, const struct point *call)
{
	return true;
}

static size_t return_values(void *context, const struct module_key *m, uint64_t procedure, int64_t *out, size_t max)
{
	return 0;
}

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof *x);
	x->folder = sim_folder();
	assert_int_equal(store_open(x->folder, &x->store), 0);
	x->r.store = x->store;
	x->r.settings = repair_settings_default;
	x->r.host = (struct repair_host){.context = x, .predominates = predominates, .same_block = same_block, .site = site,
					 .call_returns = call_returns, .return_values = return_values};
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;
	store_close(x->store);
	sim_folder_remove(x->folder);
	free(x);
	return 0;
}

static void learn(struct fixture *x, enum invariant_kind kind, uint64_t procedure, uint64_t a, uint64_t b, uint8_t slot)
{
	struct invariant i = {.kind = kind, .procedure = procedure, .count = kind == INVARIANT_ONE_OF ? 2 : 0, .value = {3, 5}, .bound = 1};
	i.a = (struct variable){{module, a}, slot, {.kind = OPERAND_REGISTER, .size = 8, .base = REG_NONE, .index = REG_NONE}};
	if (kind == INVARIANT_LESS_THAN)
		i.b = (struct variable){{module, b}, slot, i.a.operand};
	assert_int_equal(store_invariant_put(x->store, &i), 0);
}

static struct failure failure(void)
{
	struct failure f = {.monitor = MONITOR_CRASH, .signal = SIGSEGV, .at = {module, 0x1058}, .depth = 3};
	f.stack[0] = (struct frame){{module, 0x1058}, 0x1000, 0, 0x7000};
	f.stack[1] = (struct frame){{module, 0x2020}, 0x2000, 0, 0x7100};
	f.stack[2] = (struct frame){{module, 0x3020}, 0x3000, 0, 0x7200};
	return f;
}

static invariant_list suspects(struct fixture *x)
{
	invariant_list list = {0};
	struct failure f = failure();
	assert_int_equal(correlate_candidates(&x->r, &f, &list), 0);
	return list;
}

static bool holds(const invariant_list *list, uint64_t offset)
{
	for (size_t i = 0; i < list->count; i++)
		if (invariant_point(&list->at[i])->offset == offset)
			return true;
	return false;
}

static void test_suspects(void **state)
{
	struct fixture *x = *state;
	learn(x, INVARIANT_ONE_OF, 0x1000, 0x1000, 0, 0);
	learn(x, INVARIANT_LOWER_BOUND, 0x1000, 0x1058, 0, 0);      /* at the failure itself */
	learn(x, INVARIANT_ONE_OF, 0x1000, 0x1034, 0, 0);           /* not on every path */
	learn(x, INVARIANT_ONE_OF, 0x1000, 0x1060, 0, 0);           /* behind the failure */
	learn(x, INVARIANT_LESS_THAN, 0x1000, 0x1010, 0x1050, 0);   /* in the failing block */
	learn(x, INVARIANT_LESS_THAN, 0x1000, 0x1010, 0x1020, 0);   /* in another one */
	learn(x, INVARIANT_SP_OFFSET, 0x1000, 0x1008, 0, SLOT_STACK);
	learn(x, INVARIANT_ONE_OF, 0x2000, 0x2010, 0, 0);           /* the caller's are not wanted */
	invariant_list list = suspects(x);
	assert_int_equal(list.count, 3);
	assert_true(holds(&list, 0x1000) && holds(&list, 0x1058) && holds(&list, 0x1050));
	vec_free(&list);
}

static void test_suspects_of_the_caller(void **state)
{
	struct fixture *x = *state;
	learn(x, INVARIANT_ONE_OF, 0x1000, 0x1060, 0, 0);
	learn(x, INVARIANT_ONE_OF, 0x2000, 0x2010, 0, 0);
	learn(x, INVARIANT_LESS_THAN, 0x2000, 0x2010, 0x2020, 0); /* two variables: never from a caller */
	learn(x, INVARIANT_ONE_OF, 0x3000, 0x3010, 0, 0);
	invariant_list list = suspects(x);
	assert_int_equal(list.count, 1);
	assert_true(holds(&list, 0x2010));
	vec_free(&list);
	/* How many procedures is a setting. */
	x->r.settings.procedures = 1;
	list = suspects(x);
	assert_int_equal(list.count, 0);
	vec_free(&list);
}

/* However deep the recursion, it is one procedure. */
static void test_recursion_counts_once(void **state)
{
	struct fixture *x = *state;
	struct failure f = failure();
	invariant_list list = {0};
	learn(x, INVARIANT_ONE_OF, 0x2000, 0x2010, 0, 0);
	f.stack[3] = f.stack[1];
	f.stack[1] = f.stack[2] = f.stack[0];
	f.depth = 4;
	assert_int_equal(correlate_candidates(&x->r, &f, &list), 0);
	assert_int_equal(list.count, 1);
	vec_free(&list);
}

static void test_nearest_are_kept(void **state)
{
	struct fixture *x = *state;
	for (uint64_t offset = 0x1000; offset < 0x1058; offset += 8)
		learn(x, INVARIANT_ONE_OF, 0x1000, offset, 0, 0);
	x->r.settings.checks_max = 2;
	invariant_list list = suspects(x);
	assert_int_equal(list.count, 2);
	assert_true(holds(&list, 0x1050) && holds(&list, 0x1048));
	vec_free(&list);
}

/* --- Candidates of an invariant: the paper's table. */

static patch_list repairs(struct fixture *x, struct invariant i, enum repair_site at)
{
	patch_list list = {0};
	struct location l = {.id = 1, .monitor = MONITOR_CRASH, .at = {module, 0x1058}, .last = failure()};
	x->site = at;
	i.procedure = 0x1000;
	i.a.at = (struct point){module, 0x1010};
	i.b.at = (struct point){module, 0x1050};
	assert_int_equal(candidates_of_invariant(&x->r, &l, &i, &list), 0);
	return list;
}

static void expect(patch_list list, const uint8_t *actions, const int64_t *values, size_t count, uint64_t offset)
{
	assert_int_equal(list.count, count);
	for (size_t n = 0; n < count; n++) {
		assert_int_equal(list.at[n].action, actions[n]);
		assert_int_equal(list.at[n].guard, GUARD_INVARIANT);
		assert_int_equal(list.at[n].at.offset, offset);
		if (actions[n] == ACTION_SET)
			assert_int_equal(list.at[n].value, values[n]);
	}
	vec_free(&list);
}

static void test_repairs_of_invariants(void **state)
{
	struct fixture *x = *state;
	const struct invariant one_of = {.kind = INVARIANT_ONE_OF, .count = 2, .value = {3, 5}};
	const struct invariant lower_bound = {.kind = INVARIANT_LOWER_BOUND, .bound = -2};
	const struct invariant less_than = {.kind = INVARIANT_LESS_THAN}, reversed = {.kind = INVARIANT_LESS_THAN, .a_is_later = 1};
	const uint8_t set_each[] = {ACTION_SET, ACTION_SET, ACTION_RETURN}, target[] = {ACTION_SET, ACTION_SET, ACTION_SKIP, ACTION_RETURN};
	const uint8_t bound[] = {ACTION_SET, ACTION_RETURN}, equal[] = {ACTION_SET_EQUAL, ACTION_RETURN};
	const int64_t each[] = {3, 5}, least[] = {-2};
	expect(repairs(x, one_of, SITE_LOAD), set_each, each, 3, 0x1010);
	expect(repairs(x, one_of, SITE_CALL_INDIRECT), target, each, 4, 0x1010);
	expect(repairs(x, lower_bound, SITE_LOAD), bound, least, 2, 0x1010);
	expect(repairs(x, less_than, SITE_LOAD), equal, NULL, 2, 0x1050);
	expect(repairs(x, reversed, SITE_LOAD), equal, NULL, 2, 0x1010);
}

static void test_returns_what_was_returned(void **state)
{
	struct fixture *x = *state;
	struct location l = {.id = 1, .monitor = MONITOR_CRASH, .at = {module, 0x1058}, .last = failure()};
	struct invariant i = {.kind = INVARIANT_ONE_OF, .procedure = 0x1000, .count = 4, .value = {-7, -1, 0, 2}};
	patch_list list = {0};
	i.a = (struct variable){{module, 0x10f0}, SLOT_RETURN, {.kind = OPERAND_REGISTER, .size = 8}};
	assert_int_equal(store_invariant_put(x->store, &i), 0);
	x->site = SITE_LOAD;
	assert_int_equal(candidates_generic(&x->r, &l, &list), 0);
	/* Values that say "failed" by convention first; then skip; then the caller, of which nothing is known. No caller's caller to return to. */
	assert_int_equal(list.count, 5);
	assert_int_equal(list.at[0].value, -1);
	assert_int_equal(list.at[1].value, -7);
	assert_int_equal(list.at[2].value, 0);
	assert_int_equal(list.at[3].action, ACTION_SKIP);
	assert_int_equal(list.at[4].depth, 2);
	assert_false(list.at[4].has_value);
	vec_free(&list);
}

static void test_candidates_are_stored_once(void **state)
{
	struct fixture *x = *state;
	struct location l = {.monitor = MONITOR_CRASH, .at = {module, 0x1058}, .last = failure()};
	unsigned added;
	assert_int_equal(store_location_put(x->store, &l), 0);
	for (int round = 0; round < 2; round++) {
		patch_list list = {0};
		assert_int_equal(candidates_generic(&x->r, &l, &list), 0);
		assert_int_equal(candidates_store(&x->r, l.id, &list, &added), 0);
		assert_true(round ? added == 0 : added == list.count && added > 0);
		vec_free(&list);
	}
}

static void test_checks_are_made_once(void **state)
{
	struct fixture *x = *state;
	struct location l = {.monitor = MONITOR_CRASH, .at = {module, 0x1058}, .last = failure()};
	unsigned added;
	learn(x, INVARIANT_ONE_OF, 0x1000, 0x1000, 0, 0);
	assert_int_equal(store_location_put(x->store, &l), 0);
	assert_int_equal(checks_make(&x->r, &l, &added), 0);
	assert_int_equal(added, 1);
	/* Learned more since: only that is new. */
	learn(x, INVARIANT_LOWER_BOUND, 0x1000, 0x1010, 0, 0);
	assert_int_equal(checks_make(&x->r, &l, &added), 0);
	assert_int_equal(added, 1);
	assert_int_equal(checks_make(&x->r, &l, &added), 0);
	assert_int_equal(added, 0);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes), cmocka_unit_test(test_random_histories), WITH_STORE(test_suspects),
		WITH_STORE(test_suspects_of_the_caller), WITH_STORE(test_nearest_are_kept), WITH_STORE(test_recursion_counts_once), WITH_STORE(test_repairs_of_invariants),
		WITH_STORE(test_returns_what_was_returned), WITH_STORE(test_candidates_are_stored_once), WITH_STORE(test_checks_are_made_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
