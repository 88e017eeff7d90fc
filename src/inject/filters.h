/* System call filters (seccomp) of a running process, evaluated before anything of it is changed: one that kills would answer our first system call in its place
 * with its death. */
#ifndef INJECT_FILTERS_H
#define INJECT_FILTERS_H

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "inject/boot.h"
#include "inject/threads.h"

/* What a filter answers to a call, as the kernel's interpreter: SECCOMP_RET_... with its data. What the kernel would not have taken kills. */
uint32_t filter_answer(const struct sock_filter *program, unsigned count, const struct seccomp_data *call);

/* Whether any thread has filters or is in strict mode: cheap where none does. */
bool filters_exist(pid_t pid);

/* All threads are stopped, and some have filters. 0: they let through what attaching makes at `foothold` and what the blob will make; else -EACCES, and *why,
 * for people, lasts until the next call. */
int filters_allow(const struct threads *t, const struct boot_plan *plan, uint64_t foothold, const char **why) __attribute__((warn_unused_result));
/* The same for what detaching makes at `foothold`. */
int filters_allow_leaving(const struct threads *t, uint64_t foothold, const char **why) __attribute__((warn_unused_result));

#endif
