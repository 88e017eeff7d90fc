/* /proc/PID/maps. */
#ifndef INJECT_MAPS_H
#define INJECT_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mapping {
	uint64_t start, end, file_offset;
	uint64_t device, inode; /* inode 0: no file */
	bool readable, writable, executable, shared;
	const char *path; /* belongs to the struct maps */
};

struct maps {
	struct mapping *at;
	size_t count;
	char *text;
};

/* Reads all mappings of a process, ascending. Returns 0 or -errno. maps_free afterwards. */
int maps_read(pid_t pid, struct maps *out) __attribute__((warn_unused_result));
void maps_free(struct maps *m);
const struct mapping *maps_find(const struct maps *m, uint64_t address);
/* No mapping intersects [start, end). */
bool maps_free_range(const struct maps *m, uint64_t start, uint64_t end);

#endif
