#include "engine/restartable.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

typedef VEC(struct range) range_list;

struct descriptor { /* the kernel's struct rseq_cs */
	uint32_t version, flags;
	uint64_t start, size, abort;
};

/* The section headers; NULL: none, or not all in the file. */
static const Elf64_Shdr *sections(const struct module *m, size_t *count)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)m->file;
	*count = h->e_shnum;
	bool fits = h->e_shoff && h->e_shoff < m->size && !(h->e_shoff & 7) && (m->size - h->e_shoff) / sizeof(Elf64_Shdr) >= h->e_shnum;
	return fits && h->e_shentsize == sizeof(Elf64_Shdr) && h->e_shstrndx < h->e_shnum ? (const Elf64_Shdr *)(m->file + h->e_shoff) : NULL;
}

static const void *content(const struct module *m, const Elf64_Shdr *s)
{
	return s->sh_type != SHT_NOBITS && s->sh_offset <= m->size && s->sh_size <= m->size - s->sh_offset ? m->file + s->sh_offset : NULL;
}

static bool is_named(const struct module *m, const Elf64_Shdr *names, const Elf64_Shdr *s, const char *name)
{
	const char *all = content(m, names);
	size_t size = strlen(name) + 1;
	return all && s->sh_name < names->sh_size && names->sh_size - s->sh_name >= size && !memcmp(all + s->sh_name, name, size);
}

/* Addresses in a position-independent module are what relocations say. */
static void relocate(const struct module *m, const Elf64_Shdr *section, const Elf64_Shdr *relocations, uint8_t *bytes)
{
	const Elf64_Rela *r = content(m, relocations);
	for (size_t i = 0; r && i < relocations->sh_size / sizeof *r; i++)
		if (ELF64_R_TYPE(r[i].r_info) == R_X86_64_RELATIVE && r[i].r_offset >= section->sh_addr && section->sh_size >= 8 &&
		    r[i].r_offset - section->sh_addr <= section->sh_size - 8)
			memcpy(bytes + (r[i].r_offset - section->sh_addr), &r[i].r_addend, 8);
}

static void read_descriptors(const uint8_t *bytes, size_t size, range_list *found)
{
	struct descriptor d;
	for (size_t at = 0; at + sizeof d <= size; at += sizeof d) {
		memcpy(&d, bytes + at, sizeof d);
		vec_push(found, (struct range){d.start, d.start + d.size});
		vec_push(found, (struct range){d.abort, d.abort + 1});
	}
}

static void read_section(const struct module *m, const Elf64_Shdr *all, size_t count, const Elf64_Shdr *section, range_list *found)
{
	const void *bytes = content(m, section);
	uint8_t *relocated = bytes && section->sh_size ? malloc(section->sh_size) : NULL;
	if (!relocated)
		return;
	memcpy(relocated, bytes, section->sh_size);
	for (size_t i = 0; i < count; i++)
		if (all[i].sh_type == SHT_RELA)
			relocate(m, section, &all[i], relocated);
	read_descriptors(relocated, section->sh_size, found);
	free(relocated);
}

size_t restartable_find(const struct module *m, struct range **out)
{
	range_list found = {0};
	size_t count;
	const Elf64_Shdr *all = sections(m, &count);
	for (size_t i = 0; all && i < count; i++)
		if (is_named(m, &all[((const Elf64_Ehdr *)m->file)->e_shstrndx], &all[i], "__rseq_cs"))
			read_section(m, all, count, &all[i], &found);
	*out = found.at;
	return found.count;
}

bool restartable_in(struct module *m, const struct range *ranges, size_t count)
{
	if (!m->restartable_known) {
		m->restartable_count = restartable_find(m, &m->restartable);
		m->restartable_known = true;
	}
	for (size_t k = 0; k < m->restartable_count; k++)
		for (size_t i = 0; i < count; i++)
			if (m->restartable[k].start < ranges[i].end && ranges[i].start < m->restartable[k].end)
				return true;
	return false;
}
