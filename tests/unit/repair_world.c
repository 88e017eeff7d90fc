#include "repair_world.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

const struct sim_defect world_defects[DEFECTS] = {
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

const struct sim_defect world_hopeless[HOPELESS] = {
	[NOTHING_HELPS] = {MONITOR_CRASH, SIGSEGV, SITE_LOAD, {0}, 1},
	/* The repair that would be tried first can't be applied. */
	[BEST_IS_REFUSED] = {MONITOR_CRASH, SIGSEGV, SITE_LOAD, {0}, 1, .truth = {{ACTION_RETURN, 1, SIM_ANY_VALUE, SIM_REFUSED}, {ACTION_SKIP, 0, SIM_ANY_VALUE, SIM_WORKS}}},
	/* The first repair works five times, then no longer. */
	[WORKS_FIVE_TIMES] = {MONITOR_CRASH, SIGSEGV, SITE_LOAD, {0}, 1,
	 .truth = {{ACTION_RETURN, 1, 0, SIM_MOVES, .after = 5}, {ACTION_SKIP, 0, SIM_ANY_VALUE, SIM_WORKS}}},
	[ENDLESS_LOOP] = {MONITOR_HANG, 0, SITE_OTHER, {0}, 1, .truth = {{ACTION_RETURN, 2, SIM_ANY_VALUE, SIM_WORKS}}},
};

void world_learn(struct sim *s)
{
	const int64_t targets[] = {0x1000, 0x2000}, any[] = {1, 2, 3}, zero[] = {0};
	sim_learn(s, VIRTUAL_CALL, 0, INVARIANT_ONE_OF, any, 3);
	sim_learn(s, VIRTUAL_CALL, 7, INVARIANT_ONE_OF, targets, 2);
	sim_learn(s, NEGATIVE_INDEX, 2, INVARIANT_LOWER_BOUND, zero, 1);
	sim_learn(s, NEGATIVE_INDEX, 3, INVARIANT_ONE_OF, any, 3);
}

int world_setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	w->folder = sim_folder();
	w->now_us = 1000000000;
	sim_open(&w->sim, w->folder, world_defects, DEFECTS, &w->now_us, 1000);
	world_learn(&w->sim);
	*state = w;
	return 0;
}

int world_teardown(void **state)
{
	struct world *w = *state;
	sim_close(&w->sim);
	sim_folder_remove(w->folder);
	free(w);
	return 0;
}

void world_open_hopeless(struct world *w, struct sim *s, char **folder)
{
	*folder = sim_folder();
	sim_open(s, *folder, world_hopeless, HOPELESS, &w->now_us, 1000);
}

unsigned world_until_survival(struct sim *s, size_t defect, unsigned limit)
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

void world_expect_lasting(struct sim *s, size_t defect)
{
	for (int n = 0; n < 5; n++) {
		assert_true(sim_attack(s, defect));
		sim_legitimate(s, 5);
	}
	assert_int_equal(sim_location(s, defect).state, LOCATION_PATCHED);
	assert_int_equal(sim_in_force(s, defect).state, PATCH_KEPT);
	assert_true(sim_location(s, defect).patched_us > 0);
}
