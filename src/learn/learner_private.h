/* The learner's fields, for its own files. */
#ifndef LEARN_LEARNER_PRIVATE_H
#define LEARN_LEARNER_PRIVATE_H

#include "learn/infer.h"
#include "learn/learner.h"

#include "base/vec.h"

struct candidate {
	struct module_key module;
	uint64_t entry;
	uint8_t phase, committed_phase; /* enum learn_phase */
	bool refused, wanted, preferred;
	uint8_t idle_visits;        /* since it was executed last while it was wanted */
	int64_t idle_until_us;      /* not before then */
	uint32_t visits, committed_visits;
	uint32_t generation;
	struct plan *plan;          /* while wanted, or with samples of this epoch */
	struct infer *infer;        /* from the first record on */
	bool *active;               /* by point; with plan */
	bool *rested;               /* by point: has delivered its limit since the procedure was settled last; NULL: none has */
	uint32_t rested_count;
	uint8_t exhaustions;        /* since then */
	uint64_t executions;        /* in this phase */
	uint64_t changed_at;        /* confirm: executions at the last change */
	uint64_t recent;            /* records since the last tick */
	int64_t seen_us;            /* the last tick with records, or when it became wanted */
	int64_t settled_us;
	uint64_t turn;              /* rotation: when it was last put in */
};

/* Time to spend, in nanoseconds. */
struct budget {
	int64_t level, capacity;
	int64_t last_us;            /* -1: no tick yet */
	int64_t full_us;            /* since when it is at least half full; -1: it is not */
	int64_t spent_ns;           /* all time */
};

struct learner {
	struct learner_config config;
	struct learner_code code;
	struct budget budget;
	VEC(struct candidate) candidates;
	uint32_t *table;            /* hash of (module, entry) -> candidate + 1 */
	size_t table_size;
	VEC(struct learner_want) wants;
	bool wants_stale;
	uint64_t generation;
	uint64_t turn;
	unsigned batch;
	VEC(uint32_t) wanted;       /* numbers of those under observation */
	size_t memory;
	int64_t filled_us;          /* the last look at those that wait; -1: look now */
	int64_t now_us;
	uint64_t records, executions, beyond, starved;
};

void budget_init(struct budget *b, unsigned percent);
void budget_spend(struct budget *b, int64_t ns);
void budget_fill(struct budget *b, unsigned percent, int64_t now_us);

/* Puts a candidate in (making its plan) or takes it out. Returns 0 or -errno, as learner_code.get. */
int candidate_begin(struct learner *l, struct candidate *c);
void candidate_end(struct learner *l, struct candidate *c);
/* Moves a wanted one on to its next phase if it is due. */
void candidate_advance(struct learner *l, struct candidate *c);
void candidate_exhausted(struct learner *l, struct candidate *c, const uint32_t *points, size_t count);
/* Back to what is committed: no samples, observed anew. */
void candidate_reset(struct learner *l, struct candidate *c);
/* Frees plan and samples. */
void candidate_release(struct learner *l, struct candidate *c);
/* Frees everything. */
void candidate_free(struct learner *l, struct candidate *c);
/* Fills the limits. */
void candidate_limits(const struct learner *l, const struct candidate *c, struct learner_want *w);
void candidate_make_infer(struct learner *l, struct candidate *c);

#endif
