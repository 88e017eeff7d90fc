/* The supervisor: one process that guards a program and everything it starts. One thread does all work; see bell.h for what it waits on. */
#ifndef NODE_SUPERVISOR_H
#define NODE_SUPERVISOR_H

#include <limits.h>

#include "node/bell.h"
#include "node/family.h"
#include "node/options.h"
#include "node/store.h"

struct guest_rows;

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
	int64_t next_landing_check_us, next_repair_us, next_flip_us;
	struct enforcement *enforcement;
	struct repair *repair;
	struct control *control;
	VEC(struct detaching *) detaching; /* detach.c */
	struct guest_rows *rows;
	pid_t keeper;         /* waits to start a supervisor in place of this one, should it be killed; 0: none yet */
	int64_t next_keeper_us, next_tracer_us;
	struct learning *learning; /* NULL: off */
	uint64_t store_seen;  /* store_version() when the repair engine last looked */
	pid_t launched;       /* the program's process; 0: it was attached to, or taken over */
	pid_t failed_pid;     /* the last process that was let die of a failure */
};

enum { SUPERVISOR_WORD_SIZE = 2 * PATH_MAX + 256 };

/* Becomes the supervisor of `launched`, a process that waits to exec the program. Says on `ready` (a socket) that it may: one byte 0, or an error
 * message behind a byte of exit code, SUPERVISOR_WORD_SIZE bytes at most. Returns when the last guest is gone. */
int supervisor_run(const struct guard_options *options, pid_t launched, int ready);

/* Attaches to running processes, each a family of its own, and becomes their supervisor. Says on `ready` what has become of each, then an empty message. Returns
 * when the last guest is gone. */
struct attach_word {
	pid_t pid;       /* 0: no more */
	int status;      /* 0 or -errno */
	unsigned threads;
	int64_t longest_stop_us;
	char text[256];  /* the program, or the reason */
};
int supervisor_attach(const struct guard_options *options, const pid_t *pids, size_t count, int ready);

/* A family without supervisor, its memory already mapped here. */
struct orphan_family {
	struct guest_memory memory;
	uint64_t base; /* zone 0 */
	uint64_t bell; /* offset of its bell in the memfd */
	VEC(pid_t) pids;
};

/* Becomes the supervisor of families that a killed one has left. bell_fd: the bell that they ring. Returns when the last guest is gone. */
int supervisor_take_over(const struct guard_options *options, int bell_fd, const struct orphan_family *families, size_t count);

/* A supervisor of that pid and start time (/proc/PID/stat field 22) is there, and no zombie. */
bool supervisor_lives(pid_t pid, uint64_t start);

void supervisor_watch_process(struct supervisor *s, struct family *f, pid_t pid, int pidfd);
void supervisor_unwatch_process(struct supervisor *s, int pidfd);

/* events.c: answers every posted event; true if there was one. */
bool events_handle(struct supervisor *s);
/* Events that the former supervisor of the family has left unanswered. */
void events_inherit(struct family *f);
/* follow.c: execs. pid, tid: a guest's word. */
int follow_exec(struct supervisor *s, pid_t pid, pid_t tid);
void follow_cancel(struct supervisor *s, pid_t pid, pid_t tid);
void follow_stops(struct supervisor *s);
/* Detaches a traced thread as soon as it can be stopped. */
void follow_let_go(struct supervisor *s, pid_t pid, pid_t tid);

int64_t clock_us(void); /* CLOCK_REALTIME */

#endif
