/* What becomes of a failing thread: die as it would natively, go back to the instruction that a patch guards by now, or be returned from a
 * procedure of its stack. A rescue is a trial of the candidate that means the same. */
#ifndef REPAIR_RESCUE_H
#define REPAIR_RESCUE_H

#include "repair/private.h"

/* One failure, as far as it has been dealt with. */
struct incident {
	const struct failure *f;
	int64_t now_us, failed_us;
	uint64_t location;  /* whose patches may help */
	bool known;         /* it has failed before */
	bool elsewhere;     /* the failure is the doing of a patch of `location`, at another point */
	uint64_t cfa;       /* elsewhere: the procedure activation in which that patch acted */
	uint64_t fired;     /* the patch in force whose guard this failure is (hangs); 0: none */
	bool livelock;
};

/* Decides, after what is in force has been brought up to date. Within a transaction; opens the trial. */
int rescue_decide(struct repair *r, const struct incident *in, struct repair_verdict *v);

#endif
