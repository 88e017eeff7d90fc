/* Private to failures*.c. */
#ifndef NODE_FAILURES_PRIVATE_H
#define NODE_FAILURES_PRIVATE_H

#include "monitor/locate.h"
#include "node/failures.h"
#include "node/repairing.h"

struct view_context {
	struct family *family;
	pid_t pid;
	uint64_t effort; /* left for searches: stack.h */
};

/* A process as the stack walker sees it. */
struct stack_view failures_view(struct view_context *context);

/* The registers in a signal frame, at original addresses. Returns 0 or -errno. */
int failures_read_context(struct family *f, pid_t pid, uint64_t context, struct cfi_registers *out) __attribute__((warn_unused_result));
/* Edits the signal frame as the verdict says; an enum guest_verdict. */
uint64_t failures_carry_out(const struct failure *f, const struct stack_view *view, struct family *family, uint64_t context, const struct cfi_registers *r,
			    const struct repair_verdict *v);

/* Tells the learner and the repair engine. */
void failures_present(struct supervisor *s, struct family *f, struct failure *failure, struct repair_verdict *verdict);

/* failures_heap.c: a crash that locate_failure made of an access to guarded heap memory becomes what it is. */
bool failures_heap_fault(struct family *f, const struct stack_view *view, struct failure *failure);
/* The allocator gives up on a heap whose damage has been told: that was the failure, and this is how it ends. */
bool failures_heap_follows(struct family *f, const struct failure *failure);

#endif
