/* What the files of src/repair share: the engine's caches and the lists they pass around. */
#ifndef REPAIR_PRIVATE_H
#define REPAIR_PRIVATE_H

#include "base/vec.h"
#include "repair/repair.h"

typedef VEC(struct patch) patch_list;
typedef VEC(struct check) check_list;
typedef VEC(struct invariant) invariant_list;

/* A patch acted in a process and the outcome is not known yet. Several activations within the window are one trial. */
struct trial {
	uint64_t patch, location;
	pid_t pid, tid;
	uint64_t cfa;
	int64_t since_us, last_us;
	int64_t end_us;  /* of the success window */
	unsigned acted;  /* times */
	unsigned served; /* requests since it last acted, when known */
};

/* A patch this supervisor has put in force in its guests. */
struct force_entry {
	struct patch patch;
	int64_t since_us;
	bool refused; /* the host can't apply it, but it must stay (pinned) */
};

/* How often one thread failed at one location lately. */
struct streak {
	pid_t pid, tid;
	uint64_t location;
	int64_t since_us;
	unsigned count;
};

struct repair {
	struct store *store;
	struct repair_host host;
	struct repair_settings settings;
	VEC(struct trial) trials;
	VEC(struct force_entry) force;
	VEC(uint64_t) checks;     /* in force here */
	int64_t checks_since_us;  /* when the newest of them went in */
	VEC(struct streak) streaks;
	int64_t collected_us;
	bool stale;               /* what should be in force has changed in this transaction */
};

/* The store's rows as lists; the caller frees them with vec_free(). */
int load_patches(struct store *s, uint64_t location, patch_list *out);
int load_checks(struct store *s, uint64_t location, check_list *out);
int load_invariants(struct store *s, const struct module_key *module, uint64_t procedure, invariant_list *out);

static inline int64_t repair_now(const struct repair *r)
{
	return r->host.now_us(r->host.context);
}

static inline bool patch_is_in_force(const struct patch *p)
{
	return p->state == PATCH_TRIED || p->state == PATCH_KEPT;
}

#endif
