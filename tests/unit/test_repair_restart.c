/* All that is known about a location lives in the store: supervisors that are killed at every step, successors, and supervisors side by side. */
#include "repair_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* kill -9 at the n-th thing the supervisor does to its guests; its successor goes on from the store. */
static void attack_and_be_killed(struct world *w, size_t defect, int at)
{
	struct sim s;
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child) {
		sim_open(&s, w->folder, world_defects, DEFECTS, &w->now_us, 5000);
		s.die_at = at;
		sim_attack(&s, defect);
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	w->now_us += 1000000;
}

static void test_killed_at_every_step(void **state)
{
	struct world *w = *state;
	for (int at = 1; at <= 8; at++) {
		for (size_t defect = 0; defect < DEFECTS; defect++) {
			char *folder = w->folder;
			w->folder = sim_folder();
			struct sim s;
			sim_open(&s, w->folder, world_defects, DEFECTS, &w->now_us, 1000);
			world_learn(&s);
			sim_close(&s);
			attack_and_be_killed(w, defect, at);
			attack_and_be_killed(w, defect, at);
			sim_open(&s, w->folder, world_defects, DEFECTS, &w->now_us, 1000);
			unsigned n = world_until_survival(&s, defect, 4);
			if (n > 4)
				fail_msg("defect %zu, killed at step %d: not survived", defect, at);
			sim_close(&s);
			sim_folder_remove(w->folder);
			w->folder = folder;
		}
	}
}

static void test_successor_protects_from_the_start(void **state)
{
	struct world *w = *state;
	struct sim *s = &w->sim;
	assert_true(world_until_survival(s, NULL_POINTER, 4) <= 4);
	world_expect_lasting(s, NULL_POINTER);
	sim_restart_supervisor(s, w->folder);
	assert_int_equal(s->patch_count, 1);
	assert_true(sim_attack(s, NULL_POINTER));
}

static void test_open_trial_survives_the_supervisor(void **state)
{
	struct world *w = *state;
	struct sim *s = &w->sim;
	sim_attack(s, STREAM_FILTER);
	assert_true(sim_attack(s, STREAM_FILTER));
	assert_int_equal(sim_location(s, STREAM_FILTER).state, LOCATION_REPAIRING);
	sim_restart_supervisor(s, w->folder);
	sim_wait(s, 11000000);
	assert_int_equal(sim_location(s, STREAM_FILTER).state, LOCATION_PATCHED);
	assert_int_equal(sim_in_force(s, STREAM_FILTER).successes, 1);
}

static void test_side_by_side(void **state)
{
	struct world *w = *state;
	struct sim *a = &w->sim, b;
	sim_open(&b, w->folder, world_defects, DEFECTS, &w->now_us, 3000);
	for (size_t defect = 0; defect < DEFECTS; defect++) {
		/* Attacked by turns; each follows what the other has found. */
		for (int n = 0; n < 10; n++) {
			struct sim *s = n & 1 ? &b : a;
			assert_int_equal(repair_reload(s->repair), 0);
			sim_attack(s, defect);
			sim_wait(s, 11000000);
		}
		assert_int_equal(repair_reload(a->repair), 0);
		assert_int_equal(repair_reload(b.repair), 0);
		assert_true(sim_attack(a, defect));
		assert_true(sim_attack(&b, defect));
		sim_wait(a, 11000000);
		sim_wait(&b, 11000000);
	}
	assert_int_equal(a->patch_count, b.patch_count);
	sim_close(&b);
}

/* The other supervisor does not know yet what has changed, and fails with the old patch. */
static void test_side_by_side_stale(void **state)
{
	struct world *w = *state;
	struct sim *a = &w->sim, b;
	sim_open(&b, w->folder, world_defects, DEFECTS, &w->now_us, 3000);
	for (int n = 0; n < 6; n++) {
		sim_attack(a, LATE_HARM);
		sim_attack(&b, LATE_HARM);
		sim_wait(a, 11000000);
		sim_wait(&b, 11000000);
	}
	assert_true(sim_attack(a, LATE_HARM));
	assert_true(sim_attack(&b, LATE_HARM));
	assert_int_equal(sim_in_force(a, LATE_HARM).action, ACTION_RETURN);
	sim_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(test_killed_at_every_step), WORLD(test_successor_protects_from_the_start), WORLD(test_open_trial_survives_the_supervisor),
		WORLD(test_side_by_side), WORLD(test_side_by_side_stale),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
