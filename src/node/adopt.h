/* A new supervisor for guests whose supervisor was killed: their springboards, copies and patches have gone on working meanwhile. */
#ifndef NODE_ADOPT_H
#define NODE_ADOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct store;

struct adopted {
	unsigned processes, supervisors; /* supervisors: new ones, one for the guests of each one that was killed */
	bool later;                      /* some were left for now: supervisors of theirs were killed again and again within seconds */
	char problem[512];               /* why others could not be adopted; empty: none */
};

/* Finds the orphans of a state folder, starts supervisors for them in the background, and returns when these answer for them.
 * patient: leaves guests whose supervisors are killed again and again for later. Returns 0 or -errno. */
int adopt_orphans(const char *state, bool patient, struct adopted *out) __attribute__((warn_unused_result));

/* Is there a row of a living guest whose supervisor is dead? Quick: looks into the state only. */
bool orphans_known(struct store *s);

/* Starts a `clearview adopt` in the background: keeper_for 0: at once, otherwise as soon as that process has been killed. Returns its pid, 0 if
 * that is impossible. */
pid_t adopt_spawn(const char *state, pid_t keeper_for);

#endif
