/* Endless loops that the watchdog has proven. */
#include <stdio.h>
#include <string.h>

#include "monitor/loop.h"
#include "node/failures_private.h"

/* The frame that the loop's stack pointer belongs to. */
static unsigned frame_of(const struct failure *f, uint64_t rsp)
{
	for (unsigned i = 0; i < f->depth; i++)
		if (f->stack[i].cfa > rsp)
			return i;
	return 0;
}

/* The loop's lowest instruction stands for all of them: where the thread was stopped is chance. */
static void settle(struct family *f, const struct loop_found *found, struct failure *out)
{
	struct frame *frame = &out->stack[out->location_frame];
	uint64_t original = image_original(&f->image, found->lowest), lowest = original ? original : found->lowest;
	struct loaded *l = image_module_at(&f->image, lowest);
	if (l && frame->at.module.hex[0] && !strcmp(l->module->key.hex, frame->at.module.hex)) {
		frame->at.offset = lowest - l->bias;
		frame->address = lowest;
	}
	out->at = frame->at;
}

bool failures_hang(struct supervisor *s, struct family *f, pid_t pid, pid_t tid, const struct cfi_registers *now, const struct loop_found *found,
		   struct cfi_registers *after)
{
	struct view_context context = {f, pid};
	struct stack_view view = failures_view(&context);
	struct cfi_registers r = *now;
	struct failure failure = {.monitor = MONITOR_HANG, .pid = pid, .tid = tid, .time_us = clock_us()};
	struct repair_verdict verdict = {0};
	uint64_t original = image_original(&f->image, r.rip);
	family_modules(f, pid, true);
	if (original)
		r.rip = original;
	failure.rip = r.rip;
	failure.rflags = r.rflags;
	memcpy(failure.registers, r.general, sizeof failure.registers);
	failure.depth = stack_walk(&view, &r, failure.stack, STACK_DEPTH_MAX);
	if (!failure.depth)
		return false;
	failure.location_frame = frame_of(&failure, found->rsp);
	settle(f, found, &failure);
	snprintf(failure.facts, sizeof failure.facts, "an endless loop: nothing that decides about it changes in an iteration of %zu instructions", found->length);
	failures_present(s, f, &failure, &verdict);
	bool leaves = verdict.kind == REPAIR_RESCUE && !stack_unwind_to(&view, &r, verdict.frame + 1, after);
	if (leaves && verdict.has_value)
		after->general[REG_RAX] = verdict.value;
	if (verdict.kind != REPAIR_RESCUE || leaves)
		repairing_outcome(s, &failure, &verdict, true); /* not left, it goes on as it would natively */
	return leaves;
}
