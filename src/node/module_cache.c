#include "node/module_cache.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/vec.h"
#include "engine/analysis.h"
#include "engine/analysis_folder.h"

static VEC(struct cached { uint64_t device, inode; struct module *module; }) cache;
static int folder = -1, snapshots = -1;

static int open_folder(const char *state, const char *name)
{
	char path[PATH_MAX + 16];
	snprintf(path, sizeof path, "%s/%s", state, name);
	int fd = analysis_folder(path);
	if (fd < 0)
		log_info("%s can't be used: %s", path, strerror(-fd));
	return fd;
}

void module_cache_open(const char *state)
{
	folder = open_folder(state, "analyses");
	snapshots = open_folder(state, "snapshots");
}

int module_cache_snapshots(void)
{
	return snapshots;
}

void module_cache_save(void)
{
	for (size_t i = 0; folder >= 0 && i < cache.count; i++) {
		int status = cache.at[i].module ? analysis_save(cache.at[i].module, folder) : 0;
		if (status)
			log_info("the analysis of %s can't be kept: %s", cache.at[i].module->path, strerror(-status));
	}
}

static struct module *open_as_seen_by(pid_t pid, const char *path)
{
	char seen[PATH_MAX + 32];
	struct module *m = NULL;
	snprintf(seen, sizeof seen, "/proc/%d/root%s", pid, path);
	if (module_open_known(seen, folder, &m) && module_open_known(path, folder, &m))
		return NULL;
	free(m->path);
	m->path = strdup(path);
	return m;
}

/* Replaced on disk, or removed, since it was mapped: the file is still there behind what maps it. The first of the two ways wants privileges. */
static struct module *open_replaced(pid_t pid, const struct mapping *map)
{
	char ways[2][64];
	struct module *m = NULL;
	snprintf(ways[0], sizeof ways[0], "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, map->start, map->end);
	snprintf(ways[1], sizeof ways[1], "/proc/%d/exe", pid);
	for (int i = 0; i < 2; i++) {
		if (module_open_known(ways[i], folder, &m))
			continue;
		if (m->inode == map->inode) {
			free(m->path);
			const char *suffix = strstr(map->path, " (deleted)");
			m->path = strndup(map->path, suffix ? (size_t)(suffix - map->path) : strlen(map->path));
			return m;
		}
		module_free(m);
	}
	return NULL;
}

struct module *module_cache_get(pid_t pid, const struct mapping *map)
{
	for (size_t i = 0; i < cache.count; i++)
		if (cache.at[i].device == map->device && cache.at[i].inode == map->inode)
			return cache.at[i].module;
	struct module *m = map->path[0] == '/' ? open_as_seen_by(pid, map->path) : NULL;
	if (m && m->inode != map->inode) {
		module_free(m);
		m = NULL;
	}
	if (!m && map->path[0] == '/')
		m = open_replaced(pid, map);
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
	module_cache_save();
	for (size_t i = 0; i < cache.count; i++)
		module_free(cache.at[i].module);
	vec_free(&cache);
}
