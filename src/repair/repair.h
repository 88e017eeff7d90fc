/* The repair engine (paper sections 2.4 to 2.6): from a failure to checks, to candidate patches, to the patch that works best, for any
 * number of failure locations at a time. What is known about a location lives in the store, which several supervisors may share; a struct
 * repair holds caches only and may be lost at any moment.
 *
 *   failure --> lifecycle --> correlate --> candidates --> rank --> force (host installs)
 *                  ^                                                  |
 *                  +--- evaluate <-- trial <-- activation, served, ended, tick
 *
 * A supervisor's loop:
 *
 *   repair_start(r);                               before the first instruction of the program
 *   ... repair_activation() for tallies that grew, then repair_failure(r, &f, &verdict) and do what the verdict says
 *   ... repair_reload(r) when store_version() changed, repair_tick(r, now) at repair_next_us(r)
 *
 * All functions return 0 or -errno, which is the store's (-EINVAL: a failure whose location_frame is not on its stack): nothing was changed then
 * and the guests go on as they were. */
#ifndef REPAIR_REPAIR_H
#define REPAIR_REPAIR_H

#include "repair/host.h"
#include "repair/settings.h"

struct repair;

/* `host` is copied; `settings` too (NULL: the defaults). The store stays the caller's and must outlive r. */
int repair_open(struct store *store, const struct repair_host *host, const struct repair_settings *settings, struct repair **out)
	__attribute__((warn_unused_result));
/* Leaves patches and checks in force. NULL is fine. */
void repair_close(struct repair *r);

/* Puts in force what has to be (checks, patches tried and kept), and takes up the evaluations a killed supervisor left open. Call it when the
 * guests are known and before new ones run. */
int repair_start(struct repair *r);

/* The store was changed by a command or another supervisor. */
int repair_reload(struct repair *r);

enum repair_verdict_kind {
	REPAIR_DIE,         /* what happens natively */
	REPAIR_RESUME_HERE, /* go on at the failing instruction: `patch` guards it now */
	REPAIR_RESCUE,      /* return from the procedure of failure.stack[frame] to its caller, rax = value if has_value */
};

struct repair_verdict {
	enum repair_verdict_kind kind;
	unsigned frame;
	bool has_value;
	int64_t value;
	uint64_t location, patch; /* rows in the store; 0: none */
};

/* A guest failed and its thread waits. f->id is not looked at. f->time_us is when it failed, if known; else now. If a rescue turns out to be
 * impossible, let the thread die and say repair_process_ended(r, pid, false). On an error the verdict is REPAIR_DIE. */
int repair_failure(struct repair *r, const struct failure *f, struct repair_verdict *verdict);

struct activation {
	uint64_t patch;
	uint64_t count;  /* how often it has acted since the last call about that patch and process */
	pid_t pid, tid;  /* tid, cfa: of the last one. 0: unknown */
	uint64_t cfa;    /* canonical frame address of the procedure's activation in which it acted */
	int64_t time_us; /* 0: now */
};
/* Untrusted hints: unknown patches are ignored. */
int repair_activation(struct repair *r, const struct activation *a);

/* normally: it exited, or was ended by a signal sent from outside. Collect what checks have tallied there before its memory goes. */
int repair_process_ended(struct repair *r, pid_t pid, bool normally);

/* That process has demonstrably served `requests` requests since the last activation in it. */
int repair_served(struct repair *r, pid_t pid, unsigned requests);

int repair_tick(struct repair *r, int64_t now_us);
/* When repair_tick() has something to do; INT64_MAX: nothing. */
int64_t repair_next_us(const struct repair *r);

#endif
