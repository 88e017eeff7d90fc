/* Any bytes as an ELF file: refused, or a module whose facts can be asked for anywhere. The corpus are small real programs. */
#include "engine/module.h"
#include "engine/procedure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PROCEDURES = 8, NAME_MAX_LENGTH = 1 << 16 };

static void ask(struct module *m, uint64_t offset)
{
	size_t available;
	struct range range;
	uint64_t delta;
	struct procedure *p;
	const uint8_t *bytes = module_bytes(m, offset, &available);
	if (bytes && (bytes < m->file || bytes + available > m->file + m->size))
		abort();
	if (bytes && available && *(volatile const uint8_t *)(bytes + available - 1) == 1)
		(void)module_text(m, offset);
	if (module_range(m, offset, &range) && (offset < range.start || offset >= range.end))
		abort();
	const char *name = module_symbol_at(m, offset, &delta);
	if (name && memchr(name, 0, NAME_MAX_LENGTH) == NULL)
		abort();
	if (!procedure_decode(m, offset, &p))
		procedure_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	char path[32];
	struct module *m;
	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (module_open(path, &m))
		return 0;
	ask(m, m->entry);
	ask(m, 0);
	ask(m, UINT64_MAX);
	for (size_t i = 0; i < m->range_count && i < PROCEDURES; i++) {
		ask(m, m->ranges[i].start);
		ask(m, m->ranges[i].end - 1);
	}
	module_free(m);
	return 0;
}
