/* A simulated supervisor with guests that have defects, for the repair engine's tests. Each defect has a truth table: which repair works how. The
 * engine sees what it would see of real guests: failures, activations, tallies, ends. */
#ifndef TESTS_REPAIR_SIM_H
#define TESTS_REPAIR_SIM_H

#include "repair/repair.h"

enum sim_outcome {
	SIM_FAILS,      /* the same failure in spite of it (also: what the table doesn't mention) */
	SIM_WORKS,
	SIM_MOVES,      /* the same thread fails at another instruction right after it */
	SIM_FAILS_LATE, /* the process fails elsewhere three seconds later */
	SIM_REFUSED,    /* the host can't apply it */
};

enum { SIM_ANY_VALUE = -9999 };

struct sim_truth {
	uint8_t action, depth;
	int64_t value;            /* SIM_ANY_VALUE: whatever */
	enum sim_outcome outcome;
	unsigned after;           /* only from the patch's n-th action on; before: SIM_WORKS */
};

struct sim_defect {
	uint8_t monitor;
	int signal;
	enum repair_site site;
	int64_t returns[4];       /* what the procedure returns, by static analysis */
	size_t return_count;
	unsigned violated;        /* bit n: an attack violates the procedure's n-th invariant */
	struct sim_truth truth[6];
};

enum { SIM_DEFECTS = 8, SIM_PATCHES = 64, SIM_CHECKS = 64, SIM_INVARIANTS = 8 };

struct sim_check {
	struct check check;
	struct check_tally tally;
};

struct sim_installed {
	struct patch patch;
	unsigned acted;
};

struct sim {
	struct store *store;
	struct repair *repair;
	struct repair_settings settings;
	const struct sim_defect *defects;
	size_t defect_count;
	int64_t *now_us;
	pid_t pid, next_pid;      /* one process at a time */
	unsigned served;          /* requests since the last activation */
	int64_t late_us;          /* when the process fails late; 0: it doesn't */
	size_t late_defect;
	struct sim_installed patches[SIM_PATCHES];
	size_t patch_count;
	struct sim_check checks[SIM_CHECKS];
	size_t check_count;
	unsigned attacks[SIM_DEFECTS], deaths, spurious;
	int die_at;               /* _exit() at that callback, counted down; 0: never. As kill -9 would */
};

/* directory: the state folder, shared by sims side by side. */
void sim_open(struct sim *s, const char *directory, const struct sim_defect *defects, size_t count, int64_t *now_us, pid_t first_pid);
void sim_close(struct sim *s);

/* The supervisor is killed and another one goes on with the guests; what was woven stays in them until that one has its own way. */
void sim_restart_supervisor(struct sim *s, const char *directory);

/* Learned: at the procedure's n-th instruction. Kinds other than one-of take values[0] as bound. */
void sim_learn(struct sim *s, size_t defect, unsigned n, enum invariant_kind kind, const int64_t *values, uint32_t count);
/* ... at its return. */
void sim_learn_return(struct sim *s, size_t defect, const int64_t *values, uint32_t count);

/* One presentation. true: the process survived it, so far. */
bool sim_attack(struct sim *s, size_t defect);

/* The failure of a presentation, as a monitor reports it, for tests that talk to the engine themselves. */
struct failure sim_failure(struct sim *s, size_t defect);

/* Normal traffic: checks are satisfied, requests are served, time goes by. */
void sim_legitimate(struct sim *s, unsigned requests);

/* Nothing happens for so long, but the process may fail late. */
void sim_wait(struct sim *s, int64_t us);

struct point sim_point(size_t defect);
/* The store's row; the test fails without. */
struct location sim_location(struct sim *s, size_t defect);
/* The patch in force by the store; id 0: none. */
struct patch sim_in_force(struct sim *s, size_t defect);
size_t sim_patch_rows(struct sim *s);

/* A new empty folder below $TMPDIR, and its removal. */
char *sim_folder(void);
void sim_folder_remove(char *folder);

#endif
