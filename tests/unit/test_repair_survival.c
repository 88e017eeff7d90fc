/* The repair engine against simulated guests: presentations until survival, the patch that is kept, several defects at once. */
#include "repair_world.h"

#include "repair/correlate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_presentations_to_survival(void **state)
{
	static const struct {
		size_t defect;
		unsigned presentations;
	} expected[] = {
		/* One to detect; the first candidate is in force at the second, and what it leaves is rescued on the spot. */
		{STREAM_FILTER, 2}, {NULL_POINTER, 2}, {DEEP_NULL, 2}, {ASSERTION, 2}, {HEAP_WRITE, 2},
		/* One to detect, one to check, which is rescued if any return helps. */
		{VIRTUAL_CALL, 2}, {NEGATIVE_INDEX, 2},
		{LATE_HARM, 3},
	};
	struct world *w = *state;
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		unsigned n = world_until_survival(&w->sim, expected[i].defect, 6);
		if (n != expected[i].presentations)
			fail_msg("defect %zu: survived at presentation %u, expected %u", expected[i].defect, n, expected[i].presentations);
	}
}

static void test_the_right_patch_is_kept(void **state)
{
	struct world *w = *state;
	struct sim *s = &w->sim;
	s->settings.demand_satisfied = 0; /* only attacks come here */
	sim_restart_supervisor(s, w->folder);
	for (size_t defect = 0; defect < DEFECTS; defect++) {
		world_until_survival(s, defect, 6);
		for (int n = 0; n < 4; n++) {
			sim_attack(s, defect);
			sim_wait(s, 11000000);
		}
		world_expect_lasting(s, defect);
	}
	assert_int_equal(sim_in_force(s, STREAM_FILTER).action, ACTION_SKIP);
	assert_int_equal(sim_in_force(s, NULL_POINTER).value, -1);
	assert_int_equal(sim_in_force(s, DEEP_NULL).depth, 2);
	assert_int_equal(sim_in_force(s, LATE_HARM).action, ACTION_RETURN);
	assert_int_equal(sim_in_force(s, HEAP_WRITE).guard, GUARD_HEAP);
	/* Invariants come first, and the one that was violated. */
	assert_int_equal(sim_in_force(s, NEGATIVE_INDEX).guard, GUARD_INVARIANT);
	assert_int_equal(sim_in_force(s, NEGATIVE_INDEX).action, ACTION_SET);
	assert_int_equal(sim_in_force(s, NEGATIVE_INDEX).invariant.kind, INVARIANT_LOWER_BOUND);
}

static void test_first_presentation_is_native(void **state)
{
	struct world *w = *state;
	for (size_t defect = 0; defect < DEFECTS; defect++)
		assert_false(sim_attack(&w->sim, defect));
	assert_int_equal(w->sim.deaths, DEFECTS);
}

static int look_at_check(void *context, const struct check *c)
{
	bool guilty = c->invariant.kind == INVARIANT_LOWER_BOUND;
	assert_int_equal(c->correlation, guilty ? CORRELATION_HIGHLY : CORRELATION_NOT);
	assert_int_equal(c->violated_before_failure, guilty);
	assert_int_equal(c->satisfied_before_failure, !guilty);
	assert_int_equal(c->violated_elsewhere, 0);
	assert_int_equal(c->satisfied_elsewhere, 20);
	++*(unsigned *)context;
	return 0;
}

static int look_at_patch(void *context, const struct patch *p)
{
	if (p->guard == GUARD_INVARIANT)
		assert_int_equal(p->invariant.kind, INVARIANT_LOWER_BOUND);
	return 0;
}

/* Repairs are made for what correlates best, and only for that. */
static void test_checks_find_the_invariant(void **state)
{
	struct world *w = *state;
	struct sim *s = &w->sim;
	unsigned checks = 0;
	sim_attack(s, NEGATIVE_INDEX);
	assert_int_equal(s->check_count, 2);
	sim_legitimate(s, 20);
	sim_attack(s, NEGATIVE_INDEX);
	assert_int_equal(s->check_count, 0);
	uint64_t id = sim_location(s, NEGATIVE_INDEX).id;
	assert_int_equal(store_checks(s->store, id, look_at_check, &checks), 0);
	assert_int_equal(checks, 2);
	assert_int_equal(store_patches(s->store, id, look_at_patch, NULL), 0);
}

/* Nothing but attacks while the checks are in: they never held, so nothing is known about them, and repairs that need no invariant are made. */
static void test_what_never_held_proves_nothing(void **state)
{
	struct world *w = *state;
	struct sim *s = &w->sim;
	world_until_survival(s, NEGATIVE_INDEX, 6);
	assert_int_not_equal(sim_in_force(s, NEGATIVE_INDEX).guard, GUARD_INVARIANT);
}

static void test_paper_policy(void **state)
{
	struct world *w = *state;
	struct sim *s = &w->sim;
	s->settings.rescue = RESCUE_NEVER;
	s->settings.checking_presentations = 2;
	s->settings.demand_satisfied = 0;
	sim_restart_supervisor(s, w->folder);
	/* One to detect, two to check, one to survive. */
	assert_int_equal(world_until_survival(s, NEGATIVE_INDEX, 6), 4);
	assert_int_equal(sim_location(s, NEGATIVE_INDEX).check_failures, 2);
}

static void test_without_checks(void **state)
{
	struct world *w = *state;
	struct sim *s = &w->sim;
	s->settings.checking_presentations = 0;
	sim_restart_supervisor(s, w->folder);
	sim_attack(s, NEGATIVE_INDEX);
	assert_int_equal(s->check_count, 0);
	assert_int_equal(sim_location(s, NEGATIVE_INDEX).state, LOCATION_REPAIRING);
	assert_int_not_equal(sim_in_force(s, NEGATIVE_INDEX).id, 0);
}

static void test_legitimate_runs_make_nothing(void **state)
{
	struct world *w = *state;
	for (int n = 0; n < 50; n++) {
		sim_legitimate(&w->sim, 10);
		sim_wait(&w->sim, 1000000);
	}
	assert_int_equal(sim_patch_rows(&w->sim), 0);
	assert_int_equal(w->sim.patch_count + w->sim.check_count, 0);
}

static void test_interleaved(void **state)
{
	struct world *w = *state;
	struct sim *s = &w->sim;
	for (unsigned seed = 1; seed <= 12; seed++) {
		unsigned state_of = seed, late = 0;
		char *folder = sim_folder();
		struct sim one;
		sim_open(&one, folder, world_defects, DEFECTS, &w->now_us, 1000);
		world_learn(&one);
		for (int n = 0; n < 240; n++) {
			size_t defect = rand_r(&state_of) % DEFECTS;
			bool survived = sim_attack(&one, defect);
			late += n >= 160 && !survived;
			for (int gap = rand_r(&state_of) % 3; gap > 0; gap--)
				sim_legitimate(&one, 1 + rand_r(&state_of) % 5);
			sim_wait(&one, rand_r(&state_of) % 4000000);
			/* Any moment is good enough to be killed in. */
			if (rand_r(&state_of) % 16 == 0)
				sim_restart_supervisor(&one, folder);
		}
		if (late)
			fail_msg("seed %u: %u of the last 80 attacks were not survived", seed, late);
		assert_int_equal(one.spurious, 0);
		sim_close(&one);
		sim_folder_remove(folder);
	}
	assert_int_equal(sim_patch_rows(s), 0);
}

static void test_rescue_always(void **state)
{
	struct world *w = *state;
	struct sim *s = &w->sim;
	s->settings.rescue = RESCUE_ALWAYS;
	sim_restart_supervisor(s, w->folder);
	for (size_t defect = 0; defect < DEFECTS; defect++) {
		if (defect == LATE_HARM || defect == HEAP_WRITE) /* no return helps there */
			continue;
		if (!sim_attack(s, defect))
			fail_msg("defect %zu", defect);
		sim_wait(s, 11000000);
	}
}

static void test_hang(void **state)
{
	struct sim s;
	char *folder;
	world_open_hopeless(*state, &s, &folder);
	assert_false(sim_attack(&s, ENDLESS_LOOP));
	/* The patch in force is what the watchdog does: depth 1 fails, depth 2 works. */
	assert_true(sim_attack(&s, ENDLESS_LOOP));
	sim_wait(&s, 31000000);
	assert_true(sim_attack(&s, ENDLESS_LOOP));
	sim_wait(&s, 31000000);
	assert_int_equal(sim_in_force(&s, ENDLESS_LOOP).depth, 2);
	assert_int_equal(sim_location(&s, ENDLESS_LOOP).state, LOCATION_PATCHED);
	sim_close(&s);
	sim_folder_remove(folder);
}

/* Always the same failure, whatever is done: the thread must end, soon. sim_attack() fails the test if it doesn't. */
static void test_livelock_ends(void **state)
{
	struct sim s;
	char *folder;
	world_open_hopeless(*state, &s, &folder);
	s.settings.give_up_score = -1000000;
	sim_restart_supervisor(&s, folder);
	for (int n = 0; n < 10; n++)
		assert_false(sim_attack(&s, NOTHING_HELPS));
	sim_close(&s);
	sim_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(test_presentations_to_survival), WORLD(test_the_right_patch_is_kept), WORLD(test_first_presentation_is_native),
		WORLD(test_checks_find_the_invariant), WORLD(test_paper_policy), WORLD(test_what_never_held_proves_nothing), WORLD(test_without_checks), WORLD(test_legitimate_runs_make_nothing), WORLD(test_interleaved), WORLD(test_rescue_always),
		WORLD(test_hang), WORLD(test_livelock_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
