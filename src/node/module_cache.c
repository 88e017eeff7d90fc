#include "node/module_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/vec.h"

static VEC(struct cached { uint64_t device, inode; struct module *module; }) cache;

static struct module *open_as_seen_by(pid_t pid, const char *path)
{
	char seen[PATH_MAX + 32];
	struct module *m = NULL;
	snprintf(seen, sizeof seen, "/proc/%d/root%s", pid, path);
	if (module_open(seen, &m) && module_open(path, &m))
		return NULL;
	free(m->path);
	m->path = strdup(path);
	return m;
}

struct module *module_cache_get(pid_t pid, const struct mapping *map)
{
	for (size_t i = 0; i < cache.count; i++)
		if (cache.at[i].device == map->device && cache.at[i].inode == map->inode)
			return cache.at[i].module;
	struct module *m = map->path[0] == '/' ? open_as_seen_by(pid, map->path) : NULL;
	if (m && m->inode != map->inode) { /* replaced on disk since it was mapped */
		module_free(m);
		m = NULL;
	}
	vec_push(&cache, (struct cached){map->device, map->inode, m});
	return m;
}

struct module *module_cache_path(pid_t pid, const char *path)
{
	for (size_t i = 0; i < cache.count; i++)
		if (cache.at[i].module && !strcmp(cache.at[i].module->path, path))
			return cache.at[i].module;
	return NULL;
}

void module_cache_free(void)
{
	for (size_t i = 0; i < cache.count; i++)
		module_free(cache.at[i].module);
	vec_free(&cache);
}
