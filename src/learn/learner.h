/* Learning as a whole: which procedures to observe now, what their records tell, and when it goes to the store (design section 5).
 *
 *          record                target reached            nothing changed for a while
 *   new ---------> observe -----------------------> confirm ---------------------------> settled
 *                     ^  all variables               what still has a hypothesis            |  native again
 *                     +--------------------------------------------------------------------+  revisited later, ever more seldom
 *
 * A bucket of CPU time, filled at the budget's rate and emptied by learner_cost and by records, decides how many procedures are observed
 * at a time: full, the batch grows; empty, those that deliver most are taken out. A redirected procedure that is never executed costs nothing and stays
 * until another one needs its place, and then has its next turn ever later. Procedures never observed come first, then the unfinished, then the settled, each in rotation.
 *
 * Samples are held back until the epoch they belong to has ended well: learner_commit_epoch merges them into the store, learner_discard_epoch
 * throws them away (paper section 2.2: nothing is learned from executions that failed).
 *
 * Deterministic: no clock, no randomness, no OS calls; the caller tells times in microseconds. One thread. */
#ifndef LEARN_LEARNER_H
#define LEARN_LEARNER_H

#include "learn/plan.h"
#include "learn/pointer.h"
#include "learn/state.h"

struct learner;

struct learner_config {
	uint64_t node;                /* whose counts these are: random, kept in the state folder */
	uint64_t seed;                /* of the order in which procedures have their first turn */
	bool full;                    /* observe everything at once, settle nothing, no budget */
	unsigned budget_percent;      /* of one CPU */
	unsigned record_cost_ns;      /* what a record costs guest and supervisor together, beside learner_cost */
	unsigned batch_max;           /* procedures at a time */
	size_t max_pairs;             /* of a procedure; see plan.h */
	size_t activations;           /* live ones remembered, per procedure */
	uint64_t observe_executions;  /* until a procedure is confirmed */
	uint64_t confirm_executions;  /* without any change, until it is settled */
	uint64_t point_limit;         /* records of one point and phase */
	int64_t patience_us;          /* not executed for that long: makes room when others wait */
	int64_t revisit_us;           /* settled for that long, doubled with each visit: observed again */
	uint64_t min_samples;         /* of an invariant */
	size_t memory_max;            /* bytes for plans and samples; beyond, nothing more is begun until a commit frees some */
};

void learner_config_init(struct learner_config *c);

/* Where procedures come from. get returns 0 or -errno; -EAGAIN: its module isn't loaded anywhere at the moment; with any other the candidate is never observed.
 * put may be NULL. */
struct learner_code {
	void *context;
	int (*get)(void *context, const struct module_key *module, uint64_t entry, const struct procedure **out);
	void (*put)(void *context, const struct procedure *p);
};

struct learner *learner_new(const struct learner_config *config, const struct learner_code *code);
void learner_free(struct learner *l);

/* A candidate, by the entry its decoded procedure has; its number, the same when it is told again. */
uint32_t learner_add(struct learner *l, const struct module_key *module, uint64_t entry);

/* It has its first turn before others, as one of the program's own. */
void learner_prefer(struct learner *l, uint32_t procedure);

/* What an earlier run knew about a candidate (a row of store_procedure_states): it is not "never observed". Others are ignored. */
void learner_restore(struct learner *l, const struct module_key *module, uint64_t entry, const void *state, size_t size);

/* It can't be redirected: not wanted again. */
void learner_refuse(struct learner *l, uint32_t procedure);

/* CPU time spent on learning: weaving, redirecting, reading the ring. */
void learner_cost(struct learner *l, int64_t us);

/* Moves everything on; to be called some ten times a second, more often while a large program is begun (one call makes plans for 100 ms at most). The CPU
 * time it takes is not counted by itself: tell it with learner_cost. now_us must not go back. */
void learner_tick(struct learner *l, int64_t now_us);

/* What is to be redirected now, by number of the procedure ascending. Valid until the next learner_tick, learner_discard_epoch or learner_refuse. An entry whose generation changed
 * gets new probes (with fresh counts). */
struct learner_want {
	uint32_t procedure;
	uint32_t generation;
	const struct plan *plan;
	const bool *active;     /* by point of the plan: probe it */
	uint64_t entry_limit;   /* guest_probe.limit of the entry point and of the others; 0: none */
	uint64_t point_limit;
};
const struct learner_want *learner_wanted(struct learner *l, size_t *count);
/* Changes whenever the list does. */
uint64_t learner_generation(const struct learner *l);

/* One record, of point `point` of the plan that was wanted with that generation. Late ones (the list has moved on) are ignored. Their order within
 * one thread must be kept. */
void learner_record(struct learner *l, uint32_t procedure, uint32_t generation, uint32_t point, const struct value_space *space,
	const struct guest_record *r);
/* These points of the procedure (wanted with that generation) have come to their limits, and were executed `calls` times beyond: it has been taken out of the
 * program already. It is not wanted now; its next phase has its turn later, without those points. */
void learner_exhausted(struct learner *l, uint32_t procedure, uint32_t generation, const uint32_t *points, size_t count, uint64_t calls);
/* So many traps were taken, for what is redirected. */
void learner_landings(struct learner *l, uint64_t count);
/* The ring overflowed. */
void learner_lost(struct learner *l);

/* The store, as seen from here: functions with the meaning of their namesakes in node/store.h. */
struct learner_sink {
	void *context;
	int (*begin)(void *context);
	int (*commit)(void *context);
	void (*rollback)(void *context);
	int (*state_get)(void *context, const struct module_key *module, uint64_t procedure, void **state, size_t *size); /* -ENOENT: none */
	int (*state_put)(void *context, const struct module_key *module, uint64_t procedure, const void *state, size_t size);
	int (*invariants)(void *context, const struct module_key *module, uint64_t procedure, state_invariant_visitor *visit, void *visitor_context);
	int (*invariant_put)(void *context, struct invariant *i);
	int (*invariant_delete)(void *context, uint64_t id);
};

/* The epoch went well: its samples are merged into the store in one transaction and a new epoch begins. On error (-errno, the sink's) nothing is lost:
 * the epoch goes on. */
int learner_commit_epoch(struct learner *l, const struct learner_sink *sink) __attribute__((warn_unused_result));

/* The epoch ended in a failure: its samples are gone, and what was observed in it is observed again. */
void learner_discard_epoch(struct learner *l);

/* Merges a state that came from elsewhere into the store and brings the procedure's invariants up to date. */
int learner_merge(const struct learner_sink *sink, const struct state *from, uint64_t min_samples) __attribute__((warn_unused_result));

struct learner_stats {
	size_t candidates, refused, wanted;
	size_t by_phase[PHASE_COUNT];
	size_t memory;       /* bytes */
	uint64_t records, executions;
	uint64_t beyond;     /* executions of points that had delivered their limit */
	uint64_t starved;    /* records ignored for want of memory */
	int64_t cost_us;     /* all time */
	unsigned batch;
};
void learner_stats(const struct learner *l, struct learner_stats *out);

#endif
