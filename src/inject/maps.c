#include "inject/maps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/vec.h"

static bool parse_line(const char *line, struct mapping *m)
{
	unsigned major, minor;
	char flags[5];
	int path_at = 0;
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &m->start, &m->end, flags, &m->file_offset, &major, &minor,
		   &m->inode, &path_at) < 7)
		return false;
	m->device = makedev(major, minor);
	m->readable = flags[0] == 'r';
	m->writable = flags[1] == 'w';
	m->executable = flags[2] == 'x';
	m->shared = flags[3] == 's';
	snprintf(m->path, sizeof m->path, "%s", path_at ? line + path_at : "");
	m->path[strcspn(m->path, "\n")] = 0;
	return true;
}

int maps_read(pid_t pid, struct maps *out)
{
	char name[32];
	snprintf(name, sizeof name, "/proc/%d/maps", pid);
	*out = (struct maps){0};
	FILE *f = fopen(name, "re");
	if (!f)
		return -errno;
	VEC(struct mapping) all = {0};
	char *line = NULL;
	size_t size = 0;
	struct mapping m;
	while (getline(&line, &size, f) > 0)
		if (parse_line(line, &m))
			vec_push(&all, m);
	free(line);
	fclose(f);
	out->at = all.at;
	out->count = all.count;
	return all.count ? 0 : -ESRCH;
}

void maps_free(struct maps *m)
{
	free(m->at);
	*m = (struct maps){0};
}

const struct mapping *maps_find(const struct maps *m, uint64_t address)
{
	for (size_t i = 0; i < m->count; i++)
		if (address >= m->at[i].start && address < m->at[i].end)
			return &m->at[i];
	return NULL;
}

bool maps_free_range(const struct maps *m, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->at[i].start < end && start < m->at[i].end)
			return false;
	return start < end;
}
