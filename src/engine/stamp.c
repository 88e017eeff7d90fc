#include "engine/stamp.h"

#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

enum { LANES = 4 };

/* Four words at a time: each waits for the product before it. */
static uint64_t hash(uint64_t start, const void *data, size_t size)
{
	const uint64_t odd = 0x9e3779b97f4a7c15u;
	const uint8_t *bytes = data;
	uint64_t word, lane[LANES] = {start, start + 1, start + 2, start + 3};
	for (size_t at = 0; at + 8 <= size; at += 8 * LANES)
		for (int k = 0; k < LANES && at + 8 * k + 8 <= size; k++) {
			memcpy(&word, bytes + at + 8 * k, 8);
			lane[k] = (lane[k] ^ word) * odd;
			lane[k] ^= lane[k] >> 29;
		}
	for (int k = 1; k < LANES; k++)
		lane[0] = ((lane[0] ^ lane[k]) * odd) ^ lane[0] >> 31;
	return lane[0];
}

static uint64_t checksum(const struct stamp *s)
{
	struct stamp head = *s;
	head.checksum = 0;
	return hash(hash(s->size, &head, sizeof head), s + 1, s->size - sizeof *s);
}

static int find_build(struct dl_phdr_info *info, size_t size, void *build)
{
	const size_t room = sizeof((struct stamp *)0)->build;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const uint8_t *at = (const uint8_t *)info->dlpi_addr + p->p_vaddr, *end = at + p->p_memsz;
		while (p->p_type == PT_NOTE && at + sizeof(ElfW(Nhdr)) < end) {
			const ElfW(Nhdr) *n = (const void *)at;
			const uint8_t *name = at + sizeof *n, *value = name + ((n->n_namesz + 3) & ~3u);
			if (n->n_type == NT_GNU_BUILD_ID && n->n_namesz == 4 && !memcmp(name, "GNU", 4))
				memcpy(build, value, n->n_descsz < room ? n->n_descsz : room);
			at = value + ((n->n_descsz + 3) & ~3u);
		}
	}
	return 1; /* the program comes first: look no further */
}

/* All of a stamp but what depends on the rest of the file. */
static bool begin(struct stamp *s, const struct module *m, const char magic[8], size_t size)
{
	static const uint8_t none[sizeof s->build];
	memset(s, 0, sizeof *s);
	s->key = m->key;
	s->file_size = m->size;
	s->changed_ns = m->changed_ns;
	s->size = size;
	memcpy(s->magic, magic, sizeof s->magic);
	dl_iterate_phdr(find_build, s->build);
	return memcmp(s->build, none, sizeof none);
}

void stamp_name(const struct module *m, const char *kind, char out[STAMP_NAME_SIZE])
{
	snprintf(out, STAMP_NAME_SIZE, "%s-%lx-%lx%s", m->key.hex, m->size, m->changed_ns, kind);
}

bool stamp(const struct module *m, const char magic[8], void *file, size_t size)
{
	struct stamp *s = file;
	if (!begin(s, m, magic, size))
		return false;
	s->checksum = checksum(s);
	return true;
}

bool stamp_fits(const struct stamp *s, const struct module *m, const char magic[8], size_t size)
{
	struct stamp wanted;
	if (size <= sizeof *s || !begin(&wanted, m, magic, size))
		return false;
	wanted.checksum = s->checksum;
	return !memcmp(s, &wanted, sizeof wanted);
}

bool stamp_holds(const struct stamp *s)
{
	return s->checksum == checksum(s);
}
