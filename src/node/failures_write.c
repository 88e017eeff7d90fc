/* Failures that the strict heap monitor finds: writes to freed blocks and behind a block's end, before they happen. */
#include <signal.h>
#include <stdio.h>

#include "node/failures_private.h"
#include "node/weave_heap_writes.h"

/* The allocator's own doing, or what it has others do: clearing and copying. */
static bool is_allocators(const struct family *f, const struct failure *failure)
{
	for (unsigned i = 0; i < failure->depth; i++) {
		struct loaded *l = image_module((struct image *)&f->image, &failure->stack[i].at.module);
		if (l && weave_heap_writes_is_allocator(l, failure->stack[i].at.offset))
			return true;
	}
	return false;
}

uint64_t failures_write(struct supervisor *s, struct family *f, pid_t pid, pid_t tid, const uint64_t arg[6])
{
	struct view_context context_of_view = {f, pid};
	struct stack_view view = failures_view(&context_of_view);
	struct raw_failure raw = {.signal = SIGSEGV, .code = SEGV_ACCERR, .fault_address = arg[2], .pid = pid, .tid = tid};
	struct failure failure;
	struct repair_verdict verdict = {0};
	if (failures_read_context(f, pid, arg[1], &raw.registers) || locate_failure(&view, &raw, &failure))
		return VERDICT_DIE;
	if (is_allocators(f, &failure))
		return VERDICT_PROGRAM;
	failure.monitor = MONITOR_HEAP;
	failure.at = failure.stack[0].at;
	failure.location_frame = 0;
	snprintf(failure.facts, sizeof failure.facts, "write to %#llx, %s", (unsigned long long)arg[2],
		 arg[3] == HEAP_CHECK_FREED ? "in a heap block that was freed" : "behind the end of a heap block");
	failures_present(s, f, &failure, &verdict);
	uint64_t outcome = failures_carry_out(&failure, &view, f, arg[1], &raw.registers, &verdict);
	repairing_outcome(s, &failure, &verdict, true);
	return outcome;
}
