/* The state folder: one SQLite file (WAL) that all runs of all programs share, also side by side, and that the commands read while programs
 * run. All knowledge lives here: a supervisor can be killed at any moment and another one goes on. Everything is keyed by program
 * point. Times are CLOCK_REALTIME microseconds. Functions return 0 or -errno (-ESTALE: the file is of a newer version,
 * -EBADMSG: corrupt or not ours, -ENOSPC: full disk, -EBUSY: locked for too long, -EACCES, -EROFS, -ENOENT: no such row) and store_error()
 * has the readable reason. Once a file is found damaged, nothing is written to it.
 *
 * One thread at a time uses a handle. Visitors may call anything here, also write and delete what they walk over. */
#ifndef NODE_STORE_H
#define NODE_STORE_H

#include "monitor/failure.h"

#include <clearview/patch.h>

struct store;

/* directory NULL: $CLEARVIEW_STATE, else $XDG_STATE_HOME/clearview, else ~/.local/state/clearview. Makes it (0700) where missing. */
int store_open(const char *directory, struct store **out) __attribute__((warn_unused_result));
/* For commands that only look: -ENOENT where there is no state yet, and nothing is made. */
int store_open_existing(const char *directory, struct store **out) __attribute__((warn_unused_result));
void store_close(struct store *s);
const char *store_error(const struct store *s);     /* works with NULL: the last store_open's reason */
const char *store_directory(const struct store *s);
int store_folder_path(const char *directory, char *out, size_t size); /* resolves the rule above without opening */

/* Reads every page: 0, or -EBADMSG. Slow on a large state. */
int store_check(struct store *s);

/* Transactions (BEGIN IMMEDIATE): read, decide and write as one step against other supervisors. They nest (savepoints). A failed begin
 * has begun nothing, a failed commit has rolled back. */
int store_begin(struct store *s) __attribute__((warn_unused_result));
int store_commit(struct store *s) __attribute__((warn_unused_result));
void store_rollback(struct store *s);
/* Changes whenever another process has written: cheap to poll. */
uint64_t store_version(struct store *s);

/* Modules: the path last seen for a key, for reports and listings. */
int store_module_seen(struct store *s, const struct module_key *key, const char *path);
int store_module_path(struct store *s, const struct module_key *key, char *path, size_t size);
typedef int module_visitor(void *context, const struct module_key *key, const char *path);
int store_modules(struct store *s, module_visitor *visit, void *context);

/* Invariants. Putting one replaces what is stored for the same procedure, variables and kind (the caller passes the merged value). */
int store_invariant_put(struct store *s, struct invariant *i);         /* sets i->id */
int store_invariant_delete(struct store *s, uint64_t id);
typedef int invariant_visitor(void *context, const struct invariant *i); /* non-zero ends the walk and is returned */
int store_invariants_of_procedure(struct store *s, const struct module_key *module, uint64_t procedure, invariant_visitor *visit, void *context);
int store_invariants(struct store *s, const char *module_prefix, const uint64_t *offset, invariant_visitor *visit, void *context); /* NULLs: all */
/* Learning's own state of a procedure (phase, sample counts, candidate hypotheses): an opaque blob that src/learn writes and reads. */
int store_procedure_state_put(struct store *s, const struct module_key *module, uint64_t procedure, const void *state, size_t size);
int store_procedure_state_get(struct store *s, const struct module_key *module, uint64_t procedure, void **state, size_t *size); /* free(*state) */
typedef int procedure_visitor(void *context, const struct module_key *module, uint64_t procedure, const void *state, size_t size);
int store_procedure_states(struct store *s, procedure_visitor *visit, void *context);

/* Failure locations, the repair state machine's rows (design section 6). */
enum location_state { LOCATION_DETECTED, LOCATION_CHECKING, LOCATION_REPAIRING, LOCATION_PATCHED, LOCATION_STATE_COUNT };
extern const char *const location_state_names[LOCATION_STATE_COUNT];

struct location {
	uint64_t id;
	uint8_t monitor;
	struct point at;
	uint8_t state;            /* enum location_state */
	uint32_t presentations;   /* failures seen here */
	uint32_t check_failures;  /* failures seen while checks were in force */
	int64_t first_us, last_us;
	int64_t patched_us;       /* when the patch in force had its first success; 0: never */
	struct failure last;      /* the last occurrence, with its stack and registers */
};
int store_location_find(struct store *s, uint8_t monitor, const struct point *at, struct location *out); /* -ENOENT */
int store_location_get(struct store *s, uint64_t id, struct location *out);
/* The puts insert when id is 0, and set it; -ENOENT when that row has been removed meanwhile. */
int store_location_put(struct store *s, struct location *l);
int store_location_delete(struct store *s, uint64_t id);     /* with its checks, patches and occurrences */
typedef int location_visitor(void *context, const struct location *l);
int store_locations(struct store *s, location_visitor *visit, void *context);
/* One presentation of location f->id. outcome: "died", "checked", "survived", ... The newest 1,000 of a location are kept. */
int store_occurrence_add(struct store *s, const struct failure *f, const char *outcome);
typedef int occurrence_visitor(void *context, const struct failure *f, const char *outcome);
int store_occurrences(struct store *s, uint64_t location, occurrence_visitor *visit, void *context); /* newest first */

/* Checking patches of a location: a candidate correlated invariant and its tallies (paper section 2.4). */
struct check {
	uint64_t id, location;
	struct invariant invariant;
	uint32_t violated_before_failure; /* failures before which the last check was violated */
	uint32_t satisfied_before_failure;
	uint64_t violated_elsewhere, satisfied_elsewhere;
	uint8_t correlation;              /* enum correlation in src/repair/correlate.h, once decided */
};
int store_check_put(struct store *s, struct check *c);
int store_checks_delete(struct store *s, uint64_t location);
typedef int check_visitor(void *context, const struct check *c);
int store_checks(struct store *s, uint64_t location, check_visitor *visit, void *context); /* location 0: all */

/* Patches. */
int store_patch_put(struct store *s, struct patch *p);
int store_patch_get(struct store *s, uint64_t id, struct patch *out);
int store_patch_delete(struct store *s, uint64_t id);
int store_patch_count(struct store *s, uint64_t id, uint32_t successes, uint32_t failures, uint64_t activations); /* adds to the tallies */
typedef int patch_visitor(void *context, const struct patch *p);
int store_patches(struct store *s, uint64_t location, patch_visitor *visit, void *context); /* 0: all */

/* The log of everything that happened: transitions, patches in and out, failures, starts and ends. The newest 100,000 are kept. */
struct event {
	uint64_t id;
	int64_t time_us;
	char kind[24];       /* "failure", "transition", "patch", "process", "learn", "heap", ... */
	uint64_t location, patch;
	pid_t pid;
	char text[384];
};
int store_event_add(struct store *s, const struct event *e); /* time_us 0: now; the id is the store's */
typedef int event_visitor(void *context, const struct event *e);
int store_events(struct store *s, uint64_t after_id, event_visitor *visit, void *context);
/* Only those of a kind. location, patch 0: of any. kind NULL: all of that location. */
int store_events_of(struct store *s, const char *kind, uint64_t location, uint64_t patch, bool newest_first, event_visitor *visit, void *context);

/* Allocation sites whose blocks have been overrun: point of the call, and heap_class() of the sizes. */
int store_heap_site_put(struct store *s, const struct point *call, uint64_t size_class);
typedef int heap_site_visitor(void *context, const struct point *call, uint64_t size_class);
int store_heap_sites(struct store *s, heap_site_visitor *visit, void *context);

/* Guests: what supervisors of this state folder guard now. A supervisor deletes its rows when a process ends; those of a killed supervisor are
 * recognised by its pid's start time. */
struct guest_row {
	pid_t pid, supervisor;
	uint64_t pid_start, supervisor_start; /* /proc/PID/stat field 22 */
	int64_t since_us;
	uint32_t redirected, native_refused;  /* procedures */
	uint32_t patches;                     /* in force */
	char program[256];
	char detail[2048];                    /* what `ps -v` adds */
};
int store_guest_put(struct store *s, const struct guest_row *g); /* keyed by pid */
int store_guest_delete(struct store *s, pid_t pid);
typedef int guest_visitor(void *context, const struct guest_row *g);
int store_guests(struct store *s, guest_visitor *visit, void *context);

#endif
