#include "node/perf_map.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/snapshot.h"

/* The process's own id, which is part of the name, in its own pid namespace: the last one of the line "NSpid:". */
static pid_t own_id(pid_t pid)
{
	char name[32], line[256];
	long id = pid;
	snprintf(name, sizeof name, "/proc/%d/status", pid);
	FILE *status = fopen(name, "re");
	while (status && fgets(line, sizeof line, status))
		if (!strncmp(line, "NSpid:", 6) && strrchr(line, '\t'))
			id = atol(strrchr(line, '\t'));
	if (status)
		fclose(status);
	return id;
}

/* In the process's own /tmp. Others may write there: no link is followed, and nothing but a file of our own is written. */
static FILE *open_map(pid_t pid, bool fresh)
{
	char name[PATH_MAX];
	struct stat st;
	snprintf(name, sizeof name, "/proc/%d/root/tmp/perf-%d.map", pid, own_id(pid));
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1 || (fresh && ftruncate(fd, 0))) {
		close(fd);
		errno = EPERM;
		return NULL;
	}
	return fdopen(fd, "a");
}

static void write_copy(FILE *map, const struct module *m, const struct copy *c)
{
	const char *slash = strrchr(m->path, '/');
	uint64_t entry = c->procedure->entry, delta = 0;
	const char *name = module_symbol_at(m, entry, &delta);
	fprintf(map, "%lx %zx ", c->code, c->size);
	if (name)
		fprintf(map, delta ? "%s+%#lx" : "%s", name, delta);
	else
		fprintf(map, "+%#lx", entry);
	fprintf(map, "@%s [copy]\n", slash ? slash + 1 : m->path);
}

static void write_new(FILE *map, const struct family *f, pid_t pid, uint32_t since)
{
	for (size_t m = 0; m < f->image.modules.count; m++) {
		struct loaded *l = f->image.modules.at[m];
		snapshot_recall_all(l, WHOLE_MODULE);
		for (size_t i = 0; image_process_has(l, pid) && i < l->redirected.count; i++) {
			const struct redirected *r = l->redirected.at[i];
			if (r->generation > since && !r->leaving)
				write_copy(map, l->module, r->copy);
		}
	}
}

void perf_map_update(struct family *f)
{
	for (size_t i = 0; i < f->processes.count; i++) {
		struct family_process *p = &f->processes.at[i];
		if (p->perf_generation == f->image.generation)
			continue;
		FILE *map = open_map(p->pid, !p->perf_generation);
		if (map)
			write_new(map, f, p->pid, p->perf_generation);
		if (!map || fclose(map))
			log_warning("/tmp/perf-%d.map can't be written: %s", p->pid, strerror(errno));
		p->perf_generation = f->image.generation;
	}
}
