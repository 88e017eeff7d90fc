/* Looks at the canaries of a process from outside, a bounded stretch at a time. The process runs on meanwhile: what looks damaged is looked at
 * again, at once and at the next call, and only what has not changed since counts. Needs an allocator whose usable sizes can be read
 * (HEAP_LAYOUT_GLIBC). */
#ifndef MONITOR_HEAP_SCAN_H
#define MONITOR_HEAP_SCAN_H

#include <clearview/guest.h>
#include <sys/types.h>

struct heap_scan;

struct heap_scan *heap_scan_new(pid_t pid, uint64_t heap); /* heap: guest address of its struct guest_heap */
void heap_scan_free(struct heap_scan *s);
pid_t heap_scan_pid(const struct heap_scan *s);

/* Goes on where the last call ended, for at most budget_us, or once around. Returns the number of new findings, at most max; r and rip of
 * a finding aren't set. */
unsigned heap_scan_step(struct heap_scan *s, const struct guest_tables *tables, int64_t budget_us, struct guest_heap_finding *out, unsigned max);
/* The damage of this block has been told by the scan. */
bool heap_scan_has_told(const struct heap_scan *s, uint64_t block);

#endif
