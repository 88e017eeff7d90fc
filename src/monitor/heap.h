/* The heap monitor's host side: findings and faults of the guest's wrappers become failures; canaries are looked at from outside.
 *
 * How it works, and why this way. Writes that run over a block's end hit a canary behind it, which is looked at when the block is freed and about once a
 * second from outside (heap_scan.h). That tells which block was overrun, not by whom. The design's way on from there was to check writes
 * inline; here, instead, the blocks of the allocation site that was overrun are from then on placed in front of inaccessible pages. The processor then
 * checks every access, in all code, native or woven, in system libraries and in code nobody has seen yet, at no cost to any instruction; the faulting
 * instruction is the location, exactly as with an inline check. Freed blocks of the site stay inaccessible for a while, so that uses after free are caught as
 * well. The price is a system call or two for each block of such a site, and memory in pages; so their number is bounded. */
#ifndef MONITOR_HEAP_H
#define MONITOR_HEAP_H

#include <clearview/guest.h>

#include "monitor/stack.h"

/* An allocating call, and where it lies in a process. */
struct heap_site {
	struct point call;
	uint64_t address;
};

/* Fills a failure from what the wrapper of free or realloc found; id and program are left to the caller. *registers: those of the frames, for unwinding. signal is
 * SIGABRT for what the allocator itself would hardly survive, 0 for damage that the program goes on with. */
void heap_failure(const struct stack_view *v, const struct guest_heap_finding *f, pid_t pid, pid_t tid, struct cfi_registers *registers, struct failure *out);

/* The same for damage that the scan found: the location is the block's allocation. False if where that was isn't known. */
bool heap_scan_failure(const struct stack_view *v, const struct guest_heap_finding *f, const struct heap_site *site, pid_t pid, struct failure *out);

/* A fault on guarded memory: turns the crash that locate_failure made of it into what it is. site, freed: points of the calls, NULL: unknown. */
void heap_fault_failure(const struct guest_heap_slot *s, const char *allocated, const char *freed, struct failure *out);

/* The slot that holds an address; heap: guest address of its struct guest_heap. False: none. */
bool heap_slot_at(const struct stack_view *v, uint64_t heap, uint64_t address, struct guest_heap_slot *out);

/* Which sizes the block's size may have had: classes to arm; returns how many, at most 2. */
unsigned heap_classes(const struct guest_heap_finding *f, uint64_t out[2]);

#endif
