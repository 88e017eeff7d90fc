#include "node/orphans.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "inject/memory.h"
#include "node/supervisor.h"

static void note_line(const char *line, pid_t pid, struct orphan *o)
{
	uint64_t start, end, offset, inode;
	char name[64];
	if (!strstr(line, "/memfd:clearview-") ||
	    sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %" SCNu64 " /memfd:clearview-%63s", &start, &end, &offset, &inode, name) != 5)
		return;
	char *path = !strcmp(name, "shared") ? o->shared : !strcmp(name, "bell") ? o->bell : !offset ? o->code : NULL;
	if (!path)
		return;
	if (path == o->code) {
		o->base = start;
		o->code_inode = inode;
	}
	if (path == o->bell) {
		o->bell_inode = inode;
		o->bell_offset = offset;
	}
	snprintf(path, sizeof o->code, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, start, end);
}

/* The process has all that a guest has. */
static bool look_at(pid_t pid, struct orphan *o)
{
	char name[32], *line = NULL;
	size_t size = 0;
	snprintf(name, sizeof name, "/proc/%d/maps", pid);
	*o = (struct orphan){.pid = pid};
	FILE *f = fopen(name, "re");
	while (f && getline(&line, &size, f) > 0)
		note_line(line, pid, o);
	if (f)
		fclose(f);
	free(line);
	return *o->code && *o->shared && *o->bell;
}

static bool is_orphan(struct orphan *o, uint64_t state_device, uint64_t state_inode)
{
	uint64_t tables = o->base + GUEST_TABLES_OFFSET;
	struct { uint32_t abi_version; int32_t supervisor; } head;
	if (memory_read_all(o->pid, tables, &head, sizeof head) || head.abi_version != GUEST_ABI_VERSION)
		return false;
	if (memory_read_all(o->pid, tables + offsetof(struct guest_tables, legacy), &o->legacy, sizeof o->legacy))
		return false;
	uint32_t incomplete;
	uint64_t at = o->base + GUEST_PRIVATE_OFFSET + offsetof(struct guest_private, incomplete);
	if (memory_read_all(o->pid, at, &incomplete, sizeof incomplete) || incomplete)
		return false;
	bool ours = o->legacy.state_device == state_device && o->legacy.state_inode == state_inode;
	return ours && !supervisor_lives(head.supervisor, o->legacy.supervisor_start);
}

static int order(const void *a, const void *b)
{
	const struct orphan *x = a, *y = b;
	if (x->bell_inode != y->bell_inode)
		return x->bell_inode < y->bell_inode ? -1 : 1;
	if (x->code_inode != y->code_inode)
		return x->code_inode < y->code_inode ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

int orphans_find(uint64_t state_device, uint64_t state_inode, orphan_list *out)
{
	DIR *proc = opendir("/proc");
	if (!proc)
		return -errno;
	struct orphan o;
	for (struct dirent *entry; (entry = readdir(proc));) {
		pid_t pid = atoi(entry->d_name);
		if (pid > 0 && look_at(pid, &o) && is_orphan(&o, state_device, state_inode))
			vec_push(out, o);
	}
	closedir(proc);
	if (out->count)
		qsort(out->at, out->count, sizeof *out->at, order);
	return 0;
}
