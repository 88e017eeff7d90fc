/* Evaluation: when a trial is a success, who is to blame for a failure, demotion, and what the operator may do. */
#include "repair_world.h"

#include "repair/operator.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_success_window(void **state)
{
	struct world *w = *state;
	struct sim *s = &w->sim;
	sim_attack(s, STREAM_FILTER);
	/* Many activations within the window: one trial. */
	for (int n = 0; n < 20; n++)
		assert_true(sim_attack(s, STREAM_FILTER));
	assert_int_equal(sim_in_force(s, STREAM_FILTER).activations, 20);
	assert_int_equal(sim_in_force(s, STREAM_FILTER).successes, 0);
	assert_true(repair_next_us(s->repair) > w->now_us);
	sim_wait(s, repair_next_us(s->repair) - w->now_us - 1);
	assert_int_equal(sim_in_force(s, STREAM_FILTER).successes, 0);
	sim_wait(s, 1);
	assert_int_equal(sim_in_force(s, STREAM_FILTER).successes, 1);
	assert_true(repair_next_us(s->repair) == INT64_MAX);
	/* Shortened by requests served, and by a normal end. */
	sim_attack(s, STREAM_FILTER);
	sim_legitimate(s, 2);
	assert_int_equal(sim_in_force(s, STREAM_FILTER).successes, 1);
	sim_legitimate(s, 1);
	assert_int_equal(sim_in_force(s, STREAM_FILTER).successes, 2);
	sim_attack(s, STREAM_FILTER);
	assert_int_equal(repair_process_ended(s->repair, s->pid, true), 0);
	assert_int_equal(sim_in_force(s, STREAM_FILTER).successes, 3);
}

/* One patch, many processes: each has its own trial, and one death among them counts. */
static void test_many_processes(void **state)
{
	struct world *w = *state;
	struct sim *s = &w->sim;
	sim_attack(s, STREAM_FILTER);
	struct patch p = sim_in_force(s, STREAM_FILTER);
	for (pid_t pid = 2000; pid < 2010; pid++) {
		struct activation a = {p.id, 3, pid, pid, 0x7000, w->now_us};
		assert_int_equal(repair_activation(s->repair, &a), 0);
	}
	assert_int_equal(repair_process_ended(s->repair, 2003, true), 0);
	sim_wait(s, 11000000);
	p = sim_in_force(s, STREAM_FILTER);
	assert_int_equal(p.successes, 10);
	assert_int_equal(p.activations, 30);
	struct activation a = {p.id, 1, 2004, 2004, 0x7000, w->now_us};
	assert_int_equal(repair_activation(s->repair, &a), 0);
	assert_int_equal(repair_process_ended(s->repair, 2004, false), 0);
	assert_int_not_equal(sim_in_force(s, STREAM_FILTER).id, p.id);
	/* What is no patch of ours is ignored. */
	a.patch = 424242;
	assert_int_equal(repair_activation(s->repair, &a), 0);
}

static void test_kept_patch_is_demoted(void **state)
{
	struct sim s;
	char *folder;
	world_open_hopeless(*state, &s, &folder);
	for (int n = 0; n < 6; n++) {
		sim_attack(&s, WORKS_FIVE_TIMES);
		sim_wait(&s, 11000000);
	}
	assert_int_equal(sim_in_force(&s, WORKS_FIVE_TIMES).action, ACTION_RETURN);
	assert_int_equal(sim_in_force(&s, WORKS_FIVE_TIMES).successes, 5);
	sim_attack(&s, WORKS_FIVE_TIMES);
	assert_int_equal(sim_in_force(&s, WORKS_FIVE_TIMES).action, ACTION_SKIP);
	assert_int_equal(sim_location(&s, WORKS_FIVE_TIMES).state, LOCATION_REPAIRING);
	assert_true(sim_attack(&s, WORKS_FIVE_TIMES));
	sim_wait(&s, 11000000);
	assert_int_equal(sim_location(&s, WORKS_FIVE_TIMES).state, LOCATION_PATCHED);
	sim_close(&s);
	sim_folder_remove(folder);
}

static void test_refused_patch_is_passed_over(void **state)
{
	struct sim s;
	char *folder;
	world_open_hopeless(*state, &s, &folder);
	assert_false(sim_attack(&s, BEST_IS_REFUSED));
	assert_int_equal(sim_in_force(&s, BEST_IS_REFUSED).action, ACTION_SKIP);
	assert_int_equal(s.patch_count, 1);
	assert_true(sim_attack(&s, BEST_IS_REFUSED));
	sim_close(&s);
	sim_folder_remove(folder);
}

static void test_giving_up(void **state)
{
	struct sim s;
	char *folder;
	world_open_hopeless(*state, &s, &folder);
	for (int n = 0; n < 40; n++) {
		assert_false(sim_attack(&s, NOTHING_HELPS));
		sim_wait(&s, 11000000);
	}
	/* Nothing helps: the program is left as it is. */
	assert_int_equal(sim_location(&s, NOTHING_HELPS).state, LOCATION_DETECTED);
	assert_int_equal(sim_in_force(&s, NOTHING_HELPS).id, 0);
	assert_int_equal(s.patch_count, 0);
	sim_close(&s);
	sim_folder_remove(folder);
}

/* Two attacks mixed: the second one's first failure falls into the first one's window, and is put down to its repair; wrongly, as shows. */
static void test_wrong_blame_is_taken_back(void **state)
{
	struct world *w = *state;
	struct sim *s = &w->sim;
	sim_attack(s, STREAM_FILTER);
	assert_true(sim_attack(s, STREAM_FILTER));
	uint64_t id = sim_in_force(s, STREAM_FILTER).id;
	sim_wait(s, 1000000);
	sim_attack(s, HEAP_WRITE);
	assert_int_not_equal(sim_in_force(s, STREAM_FILTER).id, id);
	sim_wait(s, 11000000);
	assert_true(sim_attack(s, HEAP_WRITE));
	assert_int_equal(sim_in_force(s, STREAM_FILTER).id, id);
	assert_int_equal(sim_in_force(s, STREAM_FILTER).failures, 0);
	assert_true(sim_attack(s, STREAM_FILTER));
}

/* A failure that is known already is not put down to a repair that came later. */
static void test_known_failures_blame_nobody(void **state)
{
	struct world *w = *state;
	struct sim *s = &w->sim;
	sim_attack(s, NEGATIVE_INDEX);
	sim_attack(s, STREAM_FILTER);
	s->settings.rescue = RESCUE_NEVER;
	sim_restart_supervisor(s, w->folder);
	uint64_t id = sim_in_force(s, STREAM_FILTER).id;
	assert_true(sim_attack(s, STREAM_FILTER));
	sim_wait(s, 1000000);
	assert_false(sim_attack(s, NEGATIVE_INDEX));
	assert_int_equal(sim_in_force(s, STREAM_FILTER).id, id);
	assert_int_equal(sim_in_force(s, STREAM_FILTER).failures, 0);
}

static void test_operator(void **state)
{
	struct world *w = *state;
	struct sim *s = &w->sim;
	sim_attack(s, NULL_POINTER);
	uint64_t id = sim_in_force(s, NULL_POINTER).id;
	assert_int_equal(operator_disable(s->store, id), 0);
	assert_int_equal(operator_disable(s->store, id), -EALREADY);
	assert_int_equal(repair_reload(s->repair), 0);
	assert_int_equal(s->patch_count, 0);
	assert_int_equal(operator_enable(s->store, id), 0);
	assert_int_equal(repair_reload(s->repair), 0);
	assert_int_equal(s->patch_count, 1);
	assert_int_equal(operator_enable(s->store, 999999), -ENOENT);
	/* Another one takes its place. */
	assert_int_equal(operator_enable(s->store, id + 1), 0);
	assert_int_equal(sim_in_force(s, NULL_POINTER).id, id + 1);
	assert_int_equal(repair_reload(s->repair), 0);
	assert_int_equal(s->patch_count, 1);

	/* Pinned: failures are counted, but it stays. */
	sim_attack(s, DEEP_NULL);
	id = sim_in_force(s, DEEP_NULL).id;
	assert_int_equal(operator_pin(s->store, id), 0);
	assert_int_equal(repair_reload(s->repair), 0);
	sim_attack(s, DEEP_NULL);
	sim_wait(s, 11000000);
	sim_attack(s, DEEP_NULL);
	assert_int_equal(sim_in_force(s, DEEP_NULL).id, id);
	assert_true(sim_in_force(s, DEEP_NULL).failures >= 2);

	assert_int_equal(operator_unpin(s->store, id), 0);
	assert_int_equal(operator_remove(s->store, id), 0);
	assert_int_equal(repair_reload(s->repair), 0);
	assert_int_equal(sim_in_force(s, DEEP_NULL).id, 0);
	assert_true(world_until_survival(s, DEEP_NULL, 4) <= 4);
}

/* Two workers fail at once; the second one's failure is dealt with when the first one's patch is in already, which is not to blame. */
static void test_too_late_for_the_patch(void **state)
{
	struct world *w = *state;
	struct sim *s = &w->sim;
	struct failure f = sim_failure(s, NULL_POINTER), g = f;
	struct repair_verdict v;
	assert_int_equal(repair_failure(s->repair, &f, &v), 0);
	assert_int_equal(v.kind, REPAIR_DIE);
	uint64_t id = sim_in_force(s, NULL_POINTER).id;
	w->now_us += 500;
	g.pid = g.tid = f.pid + 1;
	g.time_us = w->now_us;
	assert_int_equal(repair_failure(s->repair, &g, &v), 0);
	assert_int_equal(v.kind, REPAIR_RESUME_HERE);
	assert_int_equal(v.patch, id);
	assert_int_equal(sim_in_force(s, NULL_POINTER).id, id);
	assert_int_equal(sim_in_force(s, NULL_POINTER).failures, 0);
	/* It faults again all the same: then it is no good. */
	w->now_us += 500;
	g.time_us = w->now_us;
	assert_int_equal(repair_failure(s->repair, &g, &v), 0);
	assert_int_not_equal(sim_in_force(s, NULL_POINTER).id, id);
}

/* One thread failing again and again, too slowly for a failure to be put down to the rescue before it: at most so many rescues. */
static void test_slow_livelock_ends(void **state)
{
	static const struct {
		unsigned allowed, rescued;
	} rows[] = {{0, 0}, {1, 1}, {8, 2 /* then nothing is left to try */}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct world *w = *state;
		struct repair_verdict v;
		unsigned rescued = 0;
		struct sim s;
		char *folder = sim_folder();
		sim_open(&s, folder, world_defects, DEFECTS, &w->now_us, 1000);
		s.settings.livelock_failures = rows[i].allowed;
		sim_restart_supervisor(&s, folder);
		sim_attack(&s, ASSERTION);
		do {
			struct failure f = sim_failure(&s, ASSERTION);
			w->now_us += 50000;
			f.time_us = w->now_us;
			f.pid = f.tid = 7;
			assert_int_equal(repair_failure(s.repair, &f, &v), 0);
			rescued += v.kind == REPAIR_RESCUE;
		} while (v.kind != REPAIR_DIE);
		assert_int_equal(rescued, rows[i].rescued);
		/* They have not helped. */
		sim_wait(&s, 11000000);
		assert_int_not_equal(sim_location(&s, ASSERTION).state, LOCATION_PATCHED);
		sim_close(&s);
		sim_folder_remove(folder);
	}
}

/* A stack that does not hold the location is refused, not followed. */
static void test_malformed_failure(void **state)
{
	struct world *w = *state;
	struct failure f = sim_failure(&w->sim, NULL_POINTER);
	struct repair_verdict v;
	f.location_frame = f.depth;
	assert_int_equal(repair_failure(w->sim.repair, &f, &v), -EINVAL);
	assert_int_equal(v.kind, REPAIR_DIE);
	f.location_frame = 0;
	f.depth = STACK_DEPTH_MAX + 1;
	assert_int_equal(repair_failure(w->sim.repair, &f, &v), -EINVAL);
	assert_int_equal(sim_patch_rows(&w->sim), 0);
	/* No stack at all is fine. */
	f.depth = 0;
	assert_int_equal(repair_failure(w->sim.repair, &f, &v), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(test_success_window), WORLD(test_many_processes), WORLD(test_kept_patch_is_demoted), WORLD(test_refused_patch_is_passed_over),
		WORLD(test_giving_up), WORLD(test_wrong_blame_is_taken_back), WORLD(test_known_failures_blame_nobody), WORLD(test_operator), WORLD(test_too_late_for_the_patch), WORLD(test_slow_livelock_ends),
		WORLD(test_malformed_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
