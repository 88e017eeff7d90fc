/* Transfers to code that is no legitimate target: located as those to what is no code at all. */
#ifndef MONITOR_LOCATE_TRANSFER_H
#define MONITOR_LOCATE_TRANSFER_H

#include "monitor/locate.h"

/* A view of the process in which one address is no code. */
struct barred_view {
	const struct stack_view *view;
	uint64_t address;
};
struct stack_view locate_bar(struct barred_view *context);

/* Fills *out as locate_failure does; the view bars raw->registers.rip, where control has come to. */
void locate_transfer(const struct stack_view *barred, const struct raw_failure *raw, struct failure *out);

#endif
