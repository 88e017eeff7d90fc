/* Bringing ClearView into a running process, and out of it again. All of its threads are stopped (threads.h). Each step leaves a process that can go on, should this
 * one be killed behind it:
 *
 *   enter   memory mapped             the process doesn't know of it
 *           the blob's data filled
 *           signal by signal taken    the blob passes on what is the program's
 *           masks opened              (by threads_release)
 *   leave   signal by signal given back, while no text of ours traps any more
 *           stacks given back, memory unmapped */
#ifndef INJECT_ATTACH_H
#define INJECT_ATTACH_H

#include "inject/boot.h"
#include "inject/foothold.h"

/* Maps the family's memory where boot_plan_make has planned it and takes over signals, masks and alternate stacks of all threads. What the program has
 * set is kept where the blob shows it. On failure everything is as it was, and *what tells what failed. */
int attach_enter(struct foothold *f, struct threads *t, const struct guest_memory *g, int bell_fd, const struct boot_plan *plan, const char **what)
	__attribute__((warn_unused_result));

#endif
