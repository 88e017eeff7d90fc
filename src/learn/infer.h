/* Inference in one procedure: records in, hypotheses out (paper section 2.2.2). Holds the samples of one epoch (and the hypotheses
 * of earlier good ones); what is stored is merged in by the caller. */
#ifndef LEARN_INFER_H
#define LEARN_INFER_H

#include "learn/plan.h"
#include "learn/pointer.h"
#include "learn/state.h"

struct infer;

/* The plan stays the caller's and must live as long. activations: how many live ones to remember (at least 1). */
struct infer *infer_new(const struct plan *plan, size_t activations);
void infer_free(struct infer *f);

/* The probes' record limit (guest_probe.limit) from now on, by kind of point; 0: none. Once a point has delivered that many, its newest value is
 * taken for outdated and pairs across instructions no longer use it; once the entry has, no activation is tracked. Resets the counts. */
void infer_limit(struct infer *f, uint64_t entry_limit, uint64_t point_limit);

/* Records were lost: the newest values are not known any more. */
void infer_lost(struct infer *f);

/* One record of plan point `point`. Returns whether a hypothesis that had held was changed (a new variable's first sample does not count). Points that don't
 * exist are ignored. */
bool infer_record(struct infer *f, uint32_t point, const struct value_space *space, const struct guest_record *r);

/* The samples so far have been added to a state that is kept: count anew, go on with the same hypotheses. */
void infer_begin_epoch(struct infer *f);

/* Activations and records seen in this epoch. */
uint64_t infer_executions(const struct infer *f);
uint64_t infer_records(const struct infer *f);

/* Whether some hypothesis of the point's variables is still alive: only then is it worth confirming. */
bool infer_point_alive(const struct infer *f, uint32_t point);

/* Adds the epoch's samples, counted for `node`, to a state (of the same procedure, or empty). */
void infer_add_to(const struct infer *f, uint64_t node, struct state *into);

/* Bytes of memory in use, for the caller's bound. */
size_t infer_size(const struct infer *f);

#endif
