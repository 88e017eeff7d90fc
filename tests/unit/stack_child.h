/* A little program of our own, run under ptrace until a signal that would kill it: the process behind the stack and locate tests. */
#ifndef STACK_CHILD_H
#define STACK_CHILD_H

#include "monitor/locate.h"

#include <signal.h>

struct child_mapping {
	uint64_t start, end;
	struct module *module;
	uint64_t bias;
};

struct child {
	pid_t pid;
	struct child_mapping mappings[64];
	size_t mapping_count;
	struct stack_view view;
	struct raw_failure raw;
};

/* Runs `path argument` up to its fatal signal. Fails the test where that can't be. */
void child_start(struct child *c, const char *path, const char *argument);
/* Goes on with other registers, the signal forgotten; the wait status of what comes next (an exit, or another stop). */
int child_go_on(struct child *c, const struct cfi_registers *r);
void child_end(struct child *c);

/* The procedure's name by the file's symbols, "" if there is none, "-" outside all modules. */
const char *child_name(const struct child *c, const struct frame *f);

#endif
