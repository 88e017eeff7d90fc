/* System call instructions of a module, with the call's number where it is a constant that a scan straight down finds. */
#ifndef ENGINE_SYSCALL_SITES_H
#define ENGINE_SYSCALL_SITES_H

#include "engine/module.h"

struct syscall_site {
	uint64_t offset;
	int number; /* -1: not known: the procedure's argument, as in syscall(2), or from elsewhere */
};

/* All sites within .eh_frame ranges whose number is in wanted[] or isn't known. Returns their count; *out is the caller's to free. */
size_t syscall_sites(const struct module *m, const int *wanted, size_t wanted_count, struct syscall_site **out);

/* The same, found once: kept with the module for the list asked for last. */
const struct syscall_site *module_syscall_sites(struct module *m, const int *wanted, size_t wanted_count, size_t *count);

#endif
