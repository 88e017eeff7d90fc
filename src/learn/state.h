/* What is known of a procedure: hypotheses about its variables and pairs of variables, as a join-semilattice (design section 5). "Nothing seen" is the
 * bottom; a hypothesis that was refuted is kept as dropped, the top, so that no merge brings it back. Everything is keyed by
 * module offset and slot; states of different nodes, runs and releases of the same code merge in any order, twice, or late. */
#ifndef LEARN_STATE_H
#define LEARN_STATE_H

#include "learn/less_than.h"
#include "learn/lower_bound.h"
#include "learn/one_of.h"
#include "learn/pointer.h"
#include "learn/sp_offset.h"
#include "learn/tally.h"

#include <clearview/invariant.h>
#include <stddef.h>

enum learn_phase { PHASE_NEW, PHASE_OBSERVE, PHASE_CONFIRM, PHASE_SETTLED, PHASE_COUNT };
extern const char *const learn_phase_names[PHASE_COUNT];

struct state_variable {
	uint64_t offset;
	uint8_t slot;
	struct operand operand;
	struct pointer_class pointer;
	struct one_of one_of;
	struct lower_bound lower;
	struct sp_offset sp;      /* SLOT_STACK only, which has none of the others */
	struct tally samples;
};

struct state_pair {
	uint32_t earlier, later;  /* indices of state.variables */
	struct less_than less;
	struct tally samples;     /* empty once both directions are dropped */
};

struct state {
	struct module_key module;
	uint64_t procedure;
	uint8_t phase;            /* enum learn_phase: the furthest anyone got */
	uint32_t visits;          /* times it was settled, at most by one node */
	struct tally executions;  /* activations seen */
	struct state_variable *variables; /* ascending by offset, slot */
	size_t variable_count;
	struct state_pair *pairs; /* ascending by later, earlier */
	size_t pair_count;
};

/* All zero but for the key is the empty state. */
void state_release(struct state *s);

/* Least upper bound: commutative, associative, idempotent. The procedures must be the same. */
void state_join(struct state *into, const struct state *from);

/* As state_join, but `from` holds samples that are new: its counts are added. How one node adds an epoch to what is stored. */
void state_add(struct state *into, const struct state *from);

/* Opaque bytes for the store and for shipping; *out is malloc'd. */
void state_encode(const struct state *s, void **out, size_t *size);
/* Untrusted bytes are fine. Returns 0, -EBADMSG (damaged), -ESTALE (of another version). */
int state_decode(const void *bytes, size_t size, struct state *out) __attribute__((warn_unused_result));

/* The state's invariants that at least min_samples (1..) support, ascending by point. Left out: bounds that every value of the size keeps; less-than
 * that follows from a one-of and a lower-bound; whatever the paper excludes for pointers. A non-zero return of visit ends the walk and is returned. */
typedef int state_invariant_visitor(void *context, const struct invariant *i);
int state_invariants(const struct state *s, uint64_t min_samples, state_invariant_visitor *visit, void *context);

#endif
