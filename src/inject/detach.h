/* The way out of a process: the program's signals, masks and stacks are given back to the kernel, and what was mapped is unmapped. Its text is native already and
 * all of its threads are stopped, none of them in our code. */
#ifndef INJECT_DETACH_H
#define INJECT_DETACH_H

#include "inject/boot.h"
#include "inject/foothold.h"

/* Whether something of the thread still needs the blob. `is_used` tells whether a call from the blob, whose return address stands at `slot`, or a signal
 * frame above `slot`, is a living one: old ones lie about on stacks. NULL: nothing does; else the reason, for people. */
typedef bool detach_is_used(void *context, const struct thread *one, uint64_t slot);
struct detach_view {
	pid_t pid;
	const struct boot_plan *plan;
	detach_is_used *is_used;
	/* The original of an address in a copy, as image_leave_thread. */
	int (*original)(void *context, uint64_t *pc, uint64_t *sp);
	void *context;
};

/* Makes a stopped thread ready: moves it out of copies, and the contexts on its stack that its handlers will return to. */
const char *detach_prepare(const struct detach_view *v, struct thread *one) __attribute__((warn_unused_result));

/* Everything else. After -errno the process goes on with what had not been given back. */
int detach_leave(const struct detach_view *v, struct foothold *f, struct threads *t, const char **what) __attribute__((warn_unused_result));

/* Heap blocks in front of guard pages that the program has not freed. The allocator doesn't know them. */
int detach_guarded_blocks(pid_t pid, const struct boot_plan *plan, unsigned *count) __attribute__((warn_unused_result));

#endif
