/* The heap monitor's seat in the supervisor: detours of the allocator, the scan of canaries, armed allocation sites. See monitor/heap.h. */
#ifndef NODE_HEAP_WATCH_H
#define NODE_HEAP_WATCH_H

#include "monitor/heap.h"
#include "node/supervisor.h"

/* weavers.h's hooks. Started: the family gets its secrets. A module that came: sites of it that the store knows are armed. All that are there now: the one that provides the allocator is
 * detoured. Applied: the wrappers may begin. */
void heap_watch_family_started(struct family *f);
void heap_watch_module_loaded(struct family *f, struct loaded *l);
void heap_watch_modules_known(struct family *f);
void heap_watch_applied(struct family *f);
void heap_watch_family_ended(struct family *f);

/* About once a second, for a bounded time: canaries. */
void heap_watch_tick(struct supervisor *s);

/* All canaries of a process that has failed otherwise: is the damage older? Takes 0.2 s at most. */
void heap_watch_look(struct supervisor *s, struct family *f, pid_t pid);

/* Guest address of a process's struct guest_heap. */
uint64_t heap_watch_address(const struct family *f);
bool heap_watch_has_told(const struct family *f, pid_t pid, uint64_t block);

/* Arms the allocation site of a damaged block, here, in the supervisor's other families, and in the store for later runs. False: the site isn't known. */
bool heap_watch_arm(struct family *f, const struct guest_heap_finding *finding, struct heap_site *out);

#endif
