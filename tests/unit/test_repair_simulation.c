/* The repair engine against simulated guests: presentations until survival, several defects at once, harmful patches, supervisors that are
 * killed at every step, and supervisors side by side. */
#include "repair_sim.h"

#include "repair/operator.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { STREAM_FILTER, NULL_POINTER, DEEP_NULL, VIRTUAL_CALL, NEGATIVE_INDEX, ASSERTION, HEAP_WRITE, LATE_HARM, DEFECTS };

static const struct sim_defect defects[DEFECTS] = {
	/* A division traps; any result does. */
	[STREAM_FILTER] = {MONITOR_CRASH, SIGFPE, SITE_DIVISION, .truth = {{ACTION_SKIP, 0, SIM_ANY_VALUE, SIM_WORKS}}},
	/* Skipping the load only moves the fault; the procedure may return -1, but not 0. */
	[NULL_POINTER] = {MONITOR_CRASH, SIGSEGV, SITE_LOAD, {-1, 0}, 2,
			  .truth = {{ACTION_SKIP, 0, SIM_ANY_VALUE, SIM_MOVES}, {ACTION_RETURN, 1, -1, SIM_WORKS}, {ACTION_RETURN, 1, 0, SIM_MOVES}}},
	/* Its caller can't go on either. */
	[DEEP_NULL] = {MONITOR_CRASH, SIGSEGV, SITE_LOAD, {0}, 1,
		       .truth = {{ACTION_SKIP, 0, SIM_ANY_VALUE, SIM_MOVES}, {ACTION_RETURN, 1, SIM_ANY_VALUE, SIM_MOVES}, {ACTION_RETURN, 2, SIM_ANY_VALUE, SIM_WORKS}}},
	/* The call's target is one of two functions; only the second is right. Invariant 0 always holds. */
	[VIRTUAL_CALL] = {MONITOR_CONTROL, SIGSEGV, SITE_CALL_INDIRECT, {0}, 1, .violated = 1u << 7,
			  .truth = {{ACTION_SET, 0, 0x2000, SIM_WORKS}, {ACTION_SKIP, 0, SIM_ANY_VALUE, SIM_MOVES}, {ACTION_RETURN, 2, SIM_ANY_VALUE, SIM_WORKS}}},
	/* An index below its lower bound. */
	[NEGATIVE_INDEX] = {MONITOR_CRASH, SIGSEGV, SITE_STORE, {0}, 1, .violated = 1u << 2,
			    .truth = {{ACTION_SET, 0, 0, SIM_WORKS}, {ACTION_RETURN, 3, SIM_ANY_VALUE, SIM_WORKS}}},
	/* abort() in a helper: its caller has to return. */
	[ASSERTION] = {MONITOR_ABORT, SIGABRT, SITE_CALL, .truth = {{ACTION_RETURN, 1, SIM_ANY_VALUE, SIM_MOVES}, {ACTION_RETURN, 2, SIM_ANY_VALUE, SIM_WORKS}}},
	[HEAP_WRITE] = {MONITOR_HEAP, 0, SITE_STORE, .truth = {{ACTION_DISCARD, 0, SIM_ANY_VALUE, SIM_WORKS}}},
	/* The first repair seems to work and kills the process seconds later. */
	[LATE_HARM] = {MONITOR_CRASH, SIGSEGV, SITE_STORE, {0}, 1,
		       .truth = {{ACTION_SKIP, 0, SIM_ANY_VALUE, SIM_FAILS_LATE}, {ACTION_RETURN, 1, SIM_ANY_VALUE, SIM_WORKS}}},
};

struct world {
	char *folder;
	int64_t now_us;
	struct sim sim;
};

static void learn(struct sim *s)
{
	const int64_t targets[] = {0x1000, 0x2000}, any[] = {1, 2, 3}, zero[] = {0};
	sim_learn(s, VIRTUAL_CALL, 0, INVARIANT_ONE_OF, any, 3);
	sim_learn(s, VIRTUAL_CALL, 7, INVARIANT_ONE_OF, targets, 2);
	sim_learn(s, NEGATIVE_INDEX, 2, INVARIANT_LOWER_BOUND, zero, 1);
	sim_learn(s, NEGATIVE_INDEX, 3, INVARIANT_ONE_OF, any, 3);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	w->folder = sim_folder();
	w->now_us = 1000000000;
	sim_open(&w->sim, w->folder, defects, DEFECTS, &w->now_us, 1000);
	learn(&w->sim);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	sim_close(&w->sim);
	sim_folder_remove(w->folder);
	free(w);
	return 0;
}

/* Attacks until one is survived for good. Returns the number of presentations. */
static unsigned until_survival(struct sim *s, size_t defect, unsigned limit)
{
	for (unsigned n = 1; n <= limit; n++) {
		unsigned deaths = s->deaths;
		bool survived = sim_attack(s, defect);
		sim_wait(s, 11000000);
		if (survived && s->deaths == deaths)
			return n;
	}
	return limit + 1;
}

static void expect_lasting(struct sim *s, size_t defect)
{
	for (int n = 0; n < 5; n++) {
		assert_true(sim_attack(s, defect));
		sim_legitimate(s, 5);
	}
	assert_int_equal(sim_location(s, defect).state, LOCATION_PATCHED);
	assert_int_equal(sim_in_force(s, defect).state, PATCH_KEPT);
	assert_true(sim_location(s, defect).patched_us > 0);
}

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
		unsigned n = until_survival(&w->sim, expected[i].defect, 6);
		if (n != expected[i].presentations)
			fail_msg("defect %zu: survived at presentation %u, expected %u", expected[i].defect, n, expected[i].presentations);
	}
}

static void test_the_right_patch_is_kept(void **state)
{
	struct world *w = *state;
	struct sim *s = &w->sim;
	for (size_t defect = 0; defect < DEFECTS; defect++) {
		until_survival(s, defect, 6);
		for (int n = 0; n < 4; n++) {
			sim_attack(s, defect);
			sim_wait(s, 11000000);
		}
		expect_lasting(s, defect);
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

static void test_paper_policy(void **state)
{
	struct world *w = *state;
	struct sim *s = &w->sim;
	s->settings.rescue = RESCUE_NEVER;
	s->settings.checking_presentations = 2;
	sim_restart_supervisor(s, w->folder);
	/* One to detect, two to check, one to survive. */
	assert_int_equal(until_survival(s, NEGATIVE_INDEX, 6), 4);
	assert_int_equal(sim_location(s, NEGATIVE_INDEX).check_failures, 2);
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
		sim_open(&one, folder, defects, DEFECTS, &w->now_us, 1000);
		learn(&one);
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

/* kill -9 at the n-th thing the supervisor does to its guests; its successor goes on from the store. */
static void attack_and_be_killed(struct world *w, size_t defect, int at)
{
	struct sim s;
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child) {
		sim_open(&s, w->folder, defects, DEFECTS, &w->now_us, 5000);
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
	for (int at = 1; at <= 12; at++) {
		for (size_t defect = 0; defect < DEFECTS; defect++) {
			char *folder = w->folder;
			w->folder = sim_folder();
			struct sim s;
			sim_open(&s, w->folder, defects, DEFECTS, &w->now_us, 1000);
			learn(&s);
			sim_close(&s);
			attack_and_be_killed(w, defect, at);
			attack_and_be_killed(w, defect, at);
			sim_open(&s, w->folder, defects, DEFECTS, &w->now_us, 1000);
			unsigned n = until_survival(&s, defect, 4);
			if (n > 4)
				fail_msg("defect %zu, killed at step %d: not survived", defect, at);
			sim_close(&s);
			sim_folder_remove(w->folder);
			w->folder = folder;
		}
	}
}

static void test_side_by_side(void **state)
{
	struct world *w = *state;
	struct sim *a = &w->sim, b;
	sim_open(&b, w->folder, defects, DEFECTS, &w->now_us, 3000);
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
	sim_open(&b, w->folder, defects, DEFECTS, &w->now_us, 3000);
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

static void test_successor_protects_from_the_start(void **state)
{
	struct world *w = *state;
	struct sim *s = &w->sim;
	assert_true(until_survival(s, NULL_POINTER, 4) <= 4);
	expect_lasting(s, NULL_POINTER);
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
	assert_true(until_survival(s, DEEP_NULL, 4) <= 4);
}

static const struct sim_defect hopeless[] = {
	{MONITOR_CRASH, SIGSEGV, SITE_LOAD, {0}, 1},
	/* Its only working repair can't be applied; skipping harms. */
	{MONITOR_CRASH, SIGSEGV, SITE_LOAD, {0}, 1, .truth = {{ACTION_RETURN, 1, SIM_ANY_VALUE, SIM_REFUSED}, {ACTION_SKIP, 0, SIM_ANY_VALUE, SIM_WORKS}}},
	/* Works five times, then no longer. */
	{MONITOR_CRASH, SIGSEGV, SITE_LOAD, {0}, 1,
	 .truth = {{ACTION_RETURN, 1, 0, SIM_MOVES, .after = 5}, {ACTION_SKIP, 0, SIM_ANY_VALUE, SIM_WORKS}}},
	{MONITOR_HANG, 0, SITE_OTHER, {0}, 1, .truth = {{ACTION_RETURN, 2, SIM_ANY_VALUE, SIM_WORKS}}},
};

static void with_hopeless(struct world *w, struct sim *s, char **folder)
{
	*folder = sim_folder();
	sim_open(s, *folder, hopeless, sizeof hopeless / sizeof *hopeless, &w->now_us, 1000);
}

static void test_giving_up(void **state)
{
	struct sim s;
	char *folder;
	with_hopeless(*state, &s, &folder);
	for (int n = 0; n < 40; n++) {
		assert_false(sim_attack(&s, 0));
		sim_wait(&s, 11000000);
	}
	/* Nothing helps: the program is left as it is. */
	assert_int_equal(sim_location(&s, 0).state, LOCATION_DETECTED);
	assert_int_equal(sim_in_force(&s, 0).id, 0);
	assert_int_equal(s.patch_count, 0);
	sim_close(&s);
	sim_folder_remove(folder);
}

static void test_refused_patch_is_passed_over(void **state)
{
	struct sim s;
	char *folder;
	with_hopeless(*state, &s, &folder);
	assert_false(sim_attack(&s, 1));
	assert_int_equal(sim_in_force(&s, 1).action, ACTION_SKIP);
	assert_true(sim_attack(&s, 1));
	sim_close(&s);
	sim_folder_remove(folder);
}

static void test_kept_patch_is_demoted(void **state)
{
	struct sim s;
	char *folder;
	with_hopeless(*state, &s, &folder);
	for (int n = 0; n < 6; n++) {
		sim_attack(&s, 2);
		sim_wait(&s, 11000000);
	}
	assert_int_equal(sim_in_force(&s, 2).action, ACTION_RETURN);
	assert_int_equal(sim_in_force(&s, 2).successes, 5);
	sim_attack(&s, 2);
	assert_int_equal(sim_in_force(&s, 2).action, ACTION_SKIP);
	assert_int_equal(sim_location(&s, 2).state, LOCATION_REPAIRING);
	assert_true(sim_attack(&s, 2));
	sim_wait(&s, 11000000);
	assert_int_equal(sim_location(&s, 2).state, LOCATION_PATCHED);
	sim_close(&s);
	sim_folder_remove(folder);
}

static void test_hang(void **state)
{
	struct sim s;
	char *folder;
	with_hopeless(*state, &s, &folder);
	assert_false(sim_attack(&s, 3));
	/* The patch in force is what the watchdog does: depth 1 fails, depth 2 works. */
	assert_true(sim_attack(&s, 3));
	sim_wait(&s, 31000000);
	assert_true(sim_attack(&s, 3));
	sim_wait(&s, 31000000);
	assert_int_equal(sim_in_force(&s, 3).depth, 2);
	assert_int_equal(sim_location(&s, 3).state, LOCATION_PATCHED);
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
	sim_attack(s, NULL_POINTER);
	sim_attack(s, STREAM_FILTER);
	s->settings.rescue = RESCUE_NEVER;
	sim_restart_supervisor(s, w->folder);
	assert_true(sim_attack(s, STREAM_FILTER));
	sim_attack(s, NULL_POINTER);
	assert_int_equal(sim_in_force(s, STREAM_FILTER).failures, 0);
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

/* Always the same failure, whatever is done: the thread must end, soon. sim_attack() fails the test if it doesn't. */
static void test_livelock_ends(void **state)
{
	struct sim s;
	char *folder;
	with_hopeless(*state, &s, &folder);
	s.settings.give_up_score = -1000000;
	sim_restart_supervisor(&s, folder);
	for (int n = 0; n < 10; n++)
		assert_false(sim_attack(&s, 0));
	sim_close(&s);
	sim_folder_remove(folder);
}

int main(void)
{
#define WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WORLD(test_presentations_to_survival), WORLD(test_the_right_patch_is_kept), WORLD(test_first_presentation_is_native),
		WORLD(test_paper_policy), WORLD(test_legitimate_runs_make_nothing), WORLD(test_interleaved), WORLD(test_killed_at_every_step),
		WORLD(test_side_by_side), WORLD(test_side_by_side_stale), WORLD(test_successor_protects_from_the_start),
		WORLD(test_open_trial_survives_the_supervisor), WORLD(test_success_window), WORLD(test_operator), WORLD(test_giving_up),
		WORLD(test_refused_patch_is_passed_over), WORLD(test_kept_patch_is_demoted), WORLD(test_hang),
		WORLD(test_wrong_blame_is_taken_back), WORLD(test_known_failures_blame_nobody), WORLD(test_rescue_always),
		WORLD(test_many_processes), WORLD(test_livelock_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
