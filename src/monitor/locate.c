#include "monitor/locate_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000ll + t.tv_nsec / 1000;
}

void locate_begin(const struct raw_failure *raw, struct failure *out)
{
	*out = (struct failure){.signal = raw->signal, .fault_address = raw->fault_address, .rip = raw->registers.rip,
				.rflags = raw->registers.rflags, .pid = raw->pid, .tid = raw->tid, .time_us = now_us()};
	memcpy(out->registers, raw->registers.general, sizeof out->registers);
}

/* A location is a program point: never one outside all modules while a frame is inside. */
void locate_settle(struct failure *out)
{
	unsigned i = out->location_frame;
	while (i + 1 < out->depth && !out->stack[i].at.module.hex[0])
		i++;
	if (out->stack[i].at.module.hex[0])
		out->location_frame = i;
	out->at = out->stack[out->location_frame].at;
}

int locate_failure(const struct stack_view *v, const struct raw_failure *raw, struct failure *out)
{
	bool is_sent = raw->code <= 0;
	if (is_sent && raw->sender && raw->sender != raw->pid)
		return -ECANCELED;
	locate_begin(raw, out);
	out->depth = stack_walk(v, &raw->registers, out->stack, STACK_DEPTH_MAX);
	if (is_sent)
		locate_abort(v, raw, out);
	else if (!locate_control(v, raw, out) && !locate_recursion(v, raw, out))
		locate_fault(v, raw, out);
	locate_settle(out);
	return 0;
}
