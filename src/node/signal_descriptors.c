#include "node/signal_descriptors.h"

#include <clearview/guest_signals.h>
#include <dirent.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "inject/memory.h"
#include "node/family.h"

static uint64_t mask_of(pid_t pid, const char *descriptor)
{
	char name[64], line[128];
	unsigned long long set = 0;
	snprintf(name, sizeof name, "/proc/%d/fdinfo/%.16s", pid, descriptor);
	FILE *f = fopen(name, "re");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "sigmask: %llx", &set) == 1)
			break;
	if (f)
		fclose(f);
	return set;
}

uint64_t signal_descriptors_find(pid_t pid)
{
	static const char kind[] = "anon_inode:[signalfd]";
	char name[32], what[sizeof kind];
	uint64_t set = 0;
	snprintf(name, sizeof name, "/proc/%d/fd", pid);
	DIR *d = opendir(name);
	for (struct dirent *e; d && (e = readdir(d));)
		if (readlinkat(dirfd(d), e->d_name, what, sizeof what) == sizeof kind - 1 && !memcmp(what, kind, sizeof kind - 1))
			set |= mask_of(pid, e->d_name);
	if (d)
		closedir(d);
	return set & FAULT_SIGNALS;
}

int signal_descriptors_tell(const struct family *f, pid_t pid, uint64_t set)
{
	uint64_t at = f->plan.base + GUEST_PRIVATE_OFFSET + SIGNALS_OFFSET + offsetof(struct guest_signals, descriptors);
	return set ? memory_write(pid, at, &set, sizeof set) : 0;
}
