/* Patches and checks in force: from data to probes and fault actions in every family, also in those that start later and in modules that are loaded
 * later. */
#ifndef NODE_ENFORCE_H
#define NODE_ENFORCE_H

#include "node/supervisor.h"
#include "repair/host.h"

struct enforcement;

struct enforcement *enforcement_new(struct supervisor *s);
void enforcement_free(struct enforcement *e);

/* All return 0 (also while the module isn't loaded) or -EOPNOTSUPP: can't be applied. */
int enforce_patch(struct enforcement *e, const struct patch *p);
void unforce_patch(struct enforcement *e, uint64_t patch);
int enforce_check(struct enforcement *e, const struct check *c);
void unforce_check(struct enforcement *e, uint64_t check);
/* Several enforce_ and unforce_ calls take effect together. */
void enforcement_apply(struct enforcement *e);

/* weavers.h's hooks. */
void enforcement_module_loaded(struct enforcement *e, struct family *f, struct loaded *l);
void enforcement_module_unloaded(struct enforcement *e, struct family *f, struct loaded *l);
void enforcement_family_ended(struct enforcement *e, struct family *f);
void enforcement_applied(struct enforcement *e, struct family *f);

/* Where a patch at a call whose callee frees a block twice says to go on, as after the call; it is counted as having acted. 0: none. */
uint64_t enforcement_heap_call(struct enforcement *e, struct family *f, const struct point *call, pid_t tid);

/* Does a patch in force there go on at this text address (guest), behind the instruction that it skips? */
bool enforcement_goes_on_at(const struct enforcement *e, const struct family *f, uint64_t address);

void enforcement_collect(struct enforcement *e, uint64_t check, pid_t pid, pid_t tid, struct check_tally *out);
/* Patches that have acted since the last call. */
struct enforced_activation {
	uint64_t patch, count, cfa;
	pid_t pid, tid;
};
bool enforcement_activation(struct enforcement *e, struct enforced_activation *out);
unsigned enforcement_patches(const struct enforcement *e);
/* In force in the family's processes. */
unsigned enforcement_patches_in(const struct enforcement *e, const struct family *f);

#endif
