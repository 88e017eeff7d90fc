/* Modules by file identity, shared by all families of a supervisor. */
#ifndef NODE_MODULE_CACHE_H
#define NODE_MODULE_CACHE_H

#include "engine/module.h"
#include "inject/maps.h"

/* The module a mapping of a process belongs to, NULL if it isn't an x86-64 ELF file that can be read. The cache owns it. */
struct module *module_cache_get(pid_t pid, const struct mapping *m);
struct module *module_cache_path(pid_t pid, const char *path);
/* Analyses last from one supervisor to the next in a folder of the state's. Without it, everything is analysed here. */
void module_cache_open(const char *state);
/* The folder of snapshots (engine/snapshot.h), a descriptor; -1: there is none. */
int module_cache_snapshots(void);
/* Keeps what has been found out since. */
void module_cache_save(void);
/* Does that, too. */
void module_cache_free(void);

#endif
