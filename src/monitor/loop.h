/* Is a loop endless? A recorded stretch of one thread's instructions proves it when an iteration leaves everything as it was that decides about
 * the next one: the values that branches and the addresses of accesses depend on, found by going backwards through the iteration (a dynamic
 * slice). What doesn't matter to them, such as a counter that nobody compares, may change.
 *
 *	loop_record(t, &registers, segments, bytes, available, read, context);   before each instruction
 *	if (loop_prove(t, &found)) ...
 *
 * Other threads, signal handlers and shared memory are outside the proof: who waits for them without sleeping looks endless, too. */
#ifndef MONITOR_LOOP_H
#define MONITOR_LOOP_H

#include "engine/cfi.h"

#include <stdbool.h>

struct loop_trace;

struct loop_trace *loop_new(void);
void loop_free(struct loop_trace *t);

/* segments: the bases of fs and gs. bytes: of the instruction about to be executed. False: an instruction whose outcome isn't the thread's own
 * (a system call, the clock, random numbers): no stretch that holds it proves anything, and recording begins anew. */
bool loop_record(struct loop_trace *t, const struct cfi_registers *r, const uint64_t segments[2], const uint8_t *bytes, size_t available,
		 cfi_read *read, void *context);

struct loop_found {
	uint64_t rsp;    /* the highest stack pointer of an iteration: the loop is in the procedure that has it in its frame */
	uint64_t lowest; /* the lowest address of an instruction executed with it */
	size_t length;   /* instructions of one iteration */
};

bool loop_prove(struct loop_trace *t, struct loop_found *out);

#endif
