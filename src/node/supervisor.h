/* The supervisor: one process that guards a program and everything it starts. One thread does all work; see bell.h for what it waits on. */
#ifndef NODE_SUPERVISOR_H
#define NODE_SUPERVISOR_H

#include "node/bell.h"
#include "node/family.h"
#include "node/options.h"
#include "node/store.h"

/* An exec being followed. */
struct followed {
	pid_t tid, pid;
	int64_t since_us;
	bool interrupted; /* to be let go as soon as it stops */
};

struct supervisor {
	struct guard_options options;
	struct bell bell;
	struct store *store;
	VEC(struct family *) families;
	VEC(struct followed) followed;
	int64_t next_landing_check_us, next_repair_us;
	struct enforcement *enforcement;
	struct repair *repair;
	struct control *control;
	uint64_t store_seen;  /* store_version() when the repair engine last looked */
	pid_t failed_pid;     /* the last process that was let die of a failure */
};

/* Becomes the supervisor of `launched`, a process that waits to exec the program. Says on `ready` (a socket) that it may: one byte 0, or an error
 * message behind a byte of exit code. Returns when the last guest is gone. */
int supervisor_run(const struct guard_options *options, pid_t launched, int ready);

void supervisor_watch_process(struct supervisor *s, struct family *f, pid_t pid, int pidfd);
void supervisor_unwatch_process(struct supervisor *s, int pidfd);

/* events.c: answers every posted event; true if there was one. */
bool events_handle(struct supervisor *s);
/* follow.c: execs. */
int follow_exec(struct supervisor *s, pid_t pid, pid_t tid);
void follow_cancel(struct supervisor *s, pid_t tid);
void follow_stops(struct supervisor *s);

int64_t clock_us(void); /* CLOCK_REALTIME */

#endif
