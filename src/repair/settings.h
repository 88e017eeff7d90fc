/* What an operator may set about repairing, with the defaults and why they are what they are. */
#ifndef REPAIR_SETTINGS_H
#define REPAIR_SETTINGS_H

#include <stdint.h>

/* Whether a failing thread may be saved on the spot: returned from a procedure of its stack, or sent back to the instruction now that a patch
 * guards it, instead of dying. */
enum rescue_policy {
	RESCUE_NEVER,
	RESCUE_KNOWN,  /* where the location has failed before: the first presentation is exactly what it would be natively */
	RESCUE_ALWAYS,
};

struct repair_settings {
	unsigned checking_presentations; /* failures with checks in force before correlation is decided. The paper waits for 2;
					  * 0: no checks, and no repairs by invariants */
	unsigned demand_satisfied;       /* 1: an invariant correlates only if it was also seen to hold while checked. The paper doesn't ask for it */
	unsigned procedures;             /* on the stack to look at for correlated invariants, the failing one included */
	unsigned checks_max;             /* per location; those nearest to the failure are taken */
	int64_t success_window_us;       /* a repair acted and nothing failed for so long: a success */
	int64_t hang_window_us;          /* likewise for hangs: long enough for the watchdog to find the next one */
	unsigned served_requests;        /* ... or the process has served so many requests since */
	int64_t on_the_spot_us;          /* a thread that fails so soon after a repair made it return fails because of it */
	enum rescue_policy rescue;
	unsigned livelock_failures;      /* more failures of one thread at one location within ... */
	unsigned livelock_aborts;        /* likewise where a patch makes each of them harmless, as with the documents of a stream */
	unsigned livelock_hangs;         /* endless loops left in one process without a success in between */
	int64_t livelock_us;             /* ... this time end in death, not in another rescue */
	int bonus;                       /* of patches that have never failed: b in (s - f) + b */
	int give_up_score;               /* when the best candidate has this or less, the location gets none */
	int64_t collect_us;              /* how often the tallies of checks are brought into the store */
	unsigned return_values;          /* how many values to try for a return from the failing procedure; fewer for its callers */
	unsigned return_depth;           /* how many procedures to return from at most */
};

extern const struct repair_settings repair_settings_default;

#endif
