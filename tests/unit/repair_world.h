/* The defects that the repair engine's tests attack, and a world with a store and a supervisor in it. */
#ifndef TESTS_REPAIR_WORLD_H
#define TESTS_REPAIR_WORLD_H

#include "repair_sim.h"

enum { STREAM_FILTER, NULL_POINTER, DEEP_NULL, VIRTUAL_CALL, NEGATIVE_INDEX, ASSERTION, HEAP_WRITE, LATE_HARM, DEFECTS };
extern const struct sim_defect world_defects[DEFECTS];

/* Defects that nothing helps against, or not as it seems. */
enum { NOTHING_HELPS, BEST_IS_REFUSED, WORKS_FIVE_TIMES, ENDLESS_LOOP, HOPELESS };
extern const struct sim_defect world_hopeless[HOPELESS];

struct world {
	char *folder;
	int64_t now_us;
	struct sim sim; /* has world_defects */
};

/* cmocka's. */
int world_setup(void **state);
int world_teardown(void **state);
#define WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

/* The invariants of world_defects' procedures. */
void world_learn(struct sim *s);

/* A simulation of its own, with world_hopeless. The caller closes it and removes the folder. */
void world_open_hopeless(struct world *w, struct sim *s, char **folder);

/* Attacks until one is survived for good. Returns the number of presentations; limit + 1: none was. */
unsigned world_until_survival(struct sim *s, size_t defect, unsigned limit);

/* From now on each attack is survived, and the location is patched. */
void world_expect_lasting(struct sim *s, size_t defect);

#endif
