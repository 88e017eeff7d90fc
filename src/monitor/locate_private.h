/* Private to locate*.c. Each fills monitor, location_frame and facts of a failure whose stack is there; false: not its kind. */
#ifndef MONITOR_LOCATE_PRIVATE_H
#define MONITOR_LOCATE_PRIVATE_H

#include "monitor/locate.h"
#include "monitor/stack_private.h"

/* The part of a failure that is the same for all; then, with the stack there, its location. */
void locate_begin(const struct raw_failure *raw, struct failure *out);
void locate_settle(struct failure *out);
bool locate_control(const struct stack_view *v, const struct raw_failure *raw, struct failure *out);
bool locate_recursion(const struct stack_view *v, const struct raw_failure *raw, struct failure *out);
void locate_fault(const struct stack_view *v, const struct raw_failure *raw, struct failure *out);
void locate_abort(const struct stack_view *v, const struct raw_failure *raw, struct failure *out);

/* The first frame that is neither the runtime's nor a reporting procedure's; 0 if there is none. */
unsigned locate_application_frame(const struct stack_view *v, const struct failure *f);

/* The message glibc keeps when it aborts, without its newline. False if there is none. */
bool locate_abort_message(const struct stack_view *v, struct module *libc, uint64_t bias, char *out, size_t size);

/* No memory can ever be there: the processor raises a general protection fault instead of a page fault. */
static inline bool is_canonical(uint64_t address)
{
	return (int64_t)(address << 16) >> 16 == (int64_t)address;
}

#endif
