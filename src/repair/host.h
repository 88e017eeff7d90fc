/* What the repair engine asks of whoever runs the guests. It makes no system calls and knows no addresses: program points in, program points
 * out. All callbacks are called from inside repair_*(), with `context`; none may call back into it. */
#ifndef REPAIR_HOST_H
#define REPAIR_HOST_H

#include "node/store.h"

#include <stdbool.h>
#include <stddef.h>

/* What stands at a program point, as far as repairs care. */
enum repair_site {
	SITE_OTHER,
	SITE_LOAD,          /* reads memory */
	SITE_STORE,         /* writes memory, string instructions included */
	SITE_DIVISION,
	SITE_CALL,
	SITE_CALL_INDIRECT,
	SITE_JUMP_INDIRECT,
	SITE_RETURN,
	SITE_STACK_CHECK,   /* the call that ends a procedure whose stack protector found its frame overwritten */
	SITE_STOP,          /* ud2, hlt: control does not go on behind it */
	SITE_COUNT,
};

enum check_outcome { CHECK_NONE, CHECK_SATISFIED, CHECK_VIOLATED };

struct check_tally {
	uint64_t satisfied, violated; /* in all guests, since the last collection */
	uint8_t last;                 /* enum check_outcome: of the last check in the thread asked for */
};

struct repair_host {
	void *context;

	/* CLOCK_REALTIME, microseconds. */
	int64_t (*now_us)(void *context);
	/* Is that process one of this supervisor's guests, and alive? */
	bool (*guards)(void *context, pid_t pid);

	/* Checks go in and out in all guests, also those that start later or load the module later. */
	int (*checks_install)(void *context, const struct check *checks, size_t count);
	void (*checks_remove)(void *context, const uint64_t *ids, size_t count);
	/* Tallies of one check since the last collection, which are then reset; the threads' last outcomes stay. */
	void (*check_collect)(void *context, uint64_t check, pid_t pid, pid_t tid, struct check_tally *out);

	/* One patch, likewise. 0 also while the module isn't loaded anywhere. -EOPNOTSUPP: the patch can't be applied (to this instruction, by
	 * that action), which counts against it; any other error is taken to pass and tried again. */
	int (*patch_install)(void *context, const struct patch *p);
	void (*patch_remove)(void *context, uint64_t patch);

	/* Procedure analysis. Offsets are the module's. */
	bool (*predominates)(void *context, const struct module_key *module, uint64_t procedure, uint64_t a, uint64_t b); /* also a == b */
	bool (*same_block)(void *context, const struct module_key *module, uint64_t procedure, uint64_t a, uint64_t b);
	enum repair_site (*site)(void *context, const struct point *at);
	/* Does control ever go on behind this call? false only where it is known not to (exit, a noreturn procedure). */
	bool (*call_returns)(void *context, const struct point *call);
	/* Can the program go on behind this call when it is cut short? callee: the innermost instruction known in what it called. False where the
	 * code behind may belong to something else. NULL: never. */
	bool (*call_can_be_cut)(void *context, const struct point *call, const struct point *callee);
	/* Is the procedure the program's main? False where that can't be told. NULL: it never can. */
	bool (*is_main)(void *context, const struct module_key *module, uint64_t procedure);
	/* Values the procedure is seen to return, statically, best first: constants assigned before its returns, what callers compare with. */
	size_t (*return_values)(void *context, const struct module_key *module, uint64_t procedure, int64_t *out, size_t max);
};

#endif
