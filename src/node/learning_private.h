/* What the learner's seat in the supervisor shares among its files. */
#ifndef NODE_LEARNING_PRIVATE_H
#define NODE_LEARNING_PRIVATE_H

#include "learn/learner.h"
#include "node/learning.h"

/* What an observing probe of a family stands for. */
struct observed {
	uint32_t procedure, generation, point, turn;
	struct loaded *loaded;
};

/* A procedure woven into a family. */
struct woven {
	uint32_t procedure, generation;
	uint64_t entry;
	struct loaded *loaded;
	uint32_t entry_probe;
	VEC(uint32_t) probes;
	bool still_wanted;
	bool unwoven;              /* its records may still be in the ring */
	bool is_read;              /* they aren't any more */
	const struct copy *copy;   /* when it was unwoven */
};

struct family_learning {
	struct family *family;
	struct observed *observed; /* by probe, PROBE_COUNT_MAX of them */
	VEC(struct woven) woven;
	uint64_t dropped;
	uint64_t tail;             /* of the ring; the guest has a copy */
	uint32_t exhausted;        /* guest_shared.exhausted, as far as it was looked after */
	uint64_t landings;         /* the same of guest_shared.landings */
	bool changed;
};

struct learning {
	struct supervisor *supervisor;
	struct learner *learner;
	VEC(struct family_learning *) families;
	VEC(struct candidate { struct module *module; uint64_t entry; }) candidates; /* by the learner's number */
	uint64_t generation;
	int64_t next_tick_us, next_commit_us;
};

/* learning_woven.c: weaves what the learner wants now and wasn't woven, unweaves the rest, with the next learning_apply. */
void learning_follow(struct learning *g, struct family_learning *fl);
/* Takes its probes out of the text, with the next learning_apply. What they recorded is still of use. */
void learning_unweave(struct family_learning *fl, struct woven *w);
void learning_apply(struct family_learning *fl, bool live);
/* It is no longer known what its probes stand for. They aren't given back. */
void learning_forget(struct family_learning *fl, size_t woven);
/* Those whose records have been read. */
void learning_forget_read(struct family_learning *fl);

/* learning_ring.c: all that is in the ring, while probes that have come to their limits go out. Then those that were out before are forgotten. */
void learning_drain(struct learning *g, struct family_learning *fl);
/* The same of a family that has ended. */
void learning_drain_rest(struct learning *g, struct family_learning *fl);

#endif
