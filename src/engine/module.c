#include "engine/module.h"
#include "engine/analysis.h"
#include "engine/cfi.h"
#include "engine/module_frames.h"
#include "engine/module_go.h"
#include "engine/module_lost.h"
#include "engine/module_symbols.h"
#include "engine/procedure.h"
#include "engine/snapshot.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vec.h"

/* FNV-1a over the file, for files without a build-id. Names a module among a few thousand; no defence against forgery. */
static uint64_t content_hash(const uint8_t *bytes, size_t size, uint64_t seed)
{
	uint64_t h = 0xcbf29ce484222325u ^ seed;
	for (size_t i = 0; i < size; i++)
		h = (h ^ bytes[i]) * 0x100000001b3u;
	return h;
}

static void key_from_content(struct module *m)
{
	snprintf(m->key.hex, sizeof m->key.hex, "sha-%016llx%016llx", (unsigned long long)content_hash(m->file, m->size, 0),
		 (unsigned long long)content_hash(m->file, m->size, m->size));
}

/* One PT_NOTE segment: true if it held a GNU build-id of sensible length. */
static bool key_from_notes(struct module *m, uint64_t at, uint64_t size)
{
	uint64_t end = at + size;
	while (at + sizeof(Elf64_Nhdr) <= end) {
		const Elf64_Nhdr *note = (const Elf64_Nhdr *)(m->file + at);
		uint64_t name = at + sizeof *note, desc = name + ((note->n_namesz + 3ul) & ~3ul), next = desc + ((note->n_descsz + 3ul) & ~3ul);
		if (next > end)
			return false;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && !memcmp(m->file + name, "GNU", 4) && note->n_descsz >= 8 &&
		    note->n_descsz * 2 < MODULE_KEY_SIZE) {
			for (unsigned i = 0; i < note->n_descsz; i++)
				sprintf(m->key.hex + 2 * i, "%02x", m->file[desc + i]);
			return true;
		}
		at = next;
	}
	return false;
}

static bool in_file(const struct module *m, uint64_t offset, uint64_t size)
{
	return offset <= m->size && size <= m->size - offset;
}

static int add_segment(struct module *m, const Elf64_Phdr *p)
{
	if (m->segment_count == sizeof m->segments / sizeof m->segments[0])
		return -ENOEXEC;
	int protection = (p->p_flags & PF_R ? PROT_READ : 0) | (p->p_flags & PF_W ? PROT_WRITE : 0) | (p->p_flags & PF_X ? PROT_EXEC : 0);
	m->segments[m->segment_count++] = (struct segment){p->p_vaddr, p->p_memsz, p->p_filesz, p->p_offset, protection};
	return 0;
}

static int read_program_headers(struct module *m)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)m->file;
	if (header->e_phentsize != sizeof(Elf64_Phdr) || !in_file(m, header->e_phoff, (uint64_t)header->e_phnum * sizeof(Elf64_Phdr)))
		return -ENOEXEC;
	const Elf64_Phdr *p = (const Elf64_Phdr *)(m->file + header->e_phoff);
	bool named = false;
	m->stack_flags = -1;
	for (unsigned i = 0; i < header->e_phnum; i++, p++) {
		if (p->p_type != PT_GNU_STACK && !in_file(m, p->p_offset, p->p_filesz))
			return -ENOEXEC;
		if (p->p_type == PT_LOAD && add_segment(m, p))
			return -ENOEXEC;
		if (p->p_type == PT_NOTE && !named)
			named = key_from_notes(m, p->p_offset, p->p_filesz);
		if (p->p_type == PT_INTERP && p->p_filesz && !m->file[p->p_offset + p->p_filesz - 1])
			m->interpreter = (const char *)m->file + p->p_offset;
		if (p->p_type == PT_GNU_STACK)
			m->stack_flags = p->p_flags;
	}
	if (!named)
		key_from_content(m);
	return m->segment_count ? 0 : -ENOEXEC;
}

static int check_header(struct module *m)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)m->file;
	if (m->size < sizeof *h || memcmp(h->e_ident, ELFMAG, SELFMAG) || h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB ||
	    h->e_machine != EM_X86_64 || (h->e_type != ET_EXEC && h->e_type != ET_DYN))
		return -ENOEXEC;
	m->entry = h->e_entry;
	m->is_position_independent = h->e_type == ET_DYN;
	return 0;
}

typedef VEC(uint64_t) address_list;

static void add_root(struct module *m, address_list *roots, uint64_t offset)
{
	if (module_text(m, offset))
		vec_push(roots, offset);
}

static void roots_from_section(struct module *m, address_list *roots, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	if (!data || !data->d_buf)
		return;
	if (header->sh_type == SHT_RELA) {
		GElf_Rela r;
		for (int i = 0; gelf_getrela(data, i, &r); i++)
			if (GELF_R_TYPE(r.r_info) == R_X86_64_RELATIVE || GELF_R_TYPE(r.r_info) == R_X86_64_IRELATIVE)
				add_root(m, roots, r.r_addend);
	} else if (header->sh_type == SHT_DYNSYM) {
		GElf_Sym s;
		for (int i = 0; gelf_getsym(data, i, &s); i++)
			if (s.st_shndx != SHN_UNDEF && (GELF_ST_TYPE(s.st_info) == STT_FUNC || GELF_ST_TYPE(s.st_info) == STT_GNU_IFUNC))
				add_root(m, roots, s.st_value);
	}
}

static bool same_procedure(const struct module *m, const uint8_t *word, size_t range)
{
	uint64_t other;
	memcpy(&other, word, 8);
	return module_range_index(m, other) == range;
}

/* A fixed-address program has its constants relocated already: any aligned data word may be a code address. One that points to a procedure's entry is taken
 * for that; one that points into its middle may be a mere number, unless it stands in a row of others: a table of labels. */
static void roots_from_data(struct module *m, address_list *roots)
{
	for (size_t i = 0; i < m->segment_count; i++) {
		const struct segment *s = &m->segments[i];
		const uint8_t *bytes = m->file + s->file_offset;
		if (s->protection & PROT_EXEC)
			continue;
		uint64_t word;
		for (uint64_t at = -s->offset & 7; at + 8 <= s->file_size; at += 8) {
			memcpy(&word, bytes + at, 8);
			size_t range = module_range_index(m, word);
			if (range == SIZE_MAX || m->ranges[range].start == word || (at >= 8 && same_procedure(m, bytes + at - 8, range)) ||
			    (at + 16 <= s->file_size && same_procedure(m, bytes + at + 8, range)))
				add_root(m, roots, word);
		}
	}
}

static int order_addresses(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* Where exceptions go on, often in a part of the procedure that nothing else leads to. */
static void roots_from_exceptions(struct module *m, address_list *roots)
{
	enum { PADS_MAX = 4096 };
	static uint64_t pads[PADS_MAX];
	for (size_t i = 0; i < m->range_count; i++) {
		int count = cfi_landing_pads(m, m->ranges[i].start, pads, PADS_MAX);
		for (int k = 0; k < count && k < PADS_MAX; k++)
			add_root(m, roots, pads[k]);
	}
}

static void find_roots(struct module *m)
{
	address_list roots = {0};
	Elf_Scn *section = NULL;
	while ((section = elf_nextscn(m->elf, section))) {
		GElf_Shdr header;
		if (gelf_getshdr(section, &header))
			roots_from_section(m, &roots, section, &header);
	}
	roots_from_exceptions(m, &roots);
	if (!m->is_position_independent)
		roots_from_data(m, &roots);
	qsort(roots.at, roots.count, sizeof *roots.at, order_addresses);
	size_t kept = 0;
	for (size_t i = 0; i < roots.count; i++)
		if (!kept || roots.at[kept - 1] != roots.at[i])
			roots.at[kept++] = roots.at[i];
	m->roots = roots.at;
	m->root_count = kept;
}

static int map_file(struct module *m)
{
	int fd = open(m->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* it may be something else by now, a fifo even */
	if (fd < 0)
		return -errno;
	struct stat st;
	int status = fstat(fd, &st) ? -errno : !S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(Elf64_Ehdr) ? -ENOEXEC : 0;
	if (!status) {
		m->size = st.st_size;
		m->device = st.st_dev;
		m->inode = st.st_ino;
		m->changed_ns = st.st_mtim.tv_sec * 1000000000ull + st.st_mtim.tv_nsec;
		void *map = mmap(NULL, m->size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map == MAP_FAILED) {
			status = -errno;
		} else {
			m->file = map;
			module_guard(m);
		}
	}
	close(fd);
	return status;
}

int module_open(const char *path, struct module **out)
{
	return module_open_known(path, -1, out);
}

static void analyse(struct module *m)
{
	module_read_frames(m);
	if (m->elf)
		find_roots(m);
	m->learned = true;
}

int module_open_known(const char *path, int folder, struct module **out)
{
	struct module *m = calloc(1, sizeof *m);
	if (!m)
		return -ENOMEM;
	m->path = strdup(path);
	m->symbols = calloc(1, sizeof *m->symbols);
	if (!m->path || !m->symbols) {
		module_free(m);
		return -ENOMEM;
	}
	int status = map_file(m);
	if (!status)
		status = check_header(m);
	if (!status)
		status = read_program_headers(m);
	if (!status && m->is_lost)
		status = -EIO;
	if (status) {
		module_free(m);
		return status;
	}
	m->is_program = m->interpreter || !m->is_position_independent;
	elf_version(EV_CURRENT);
	m->elf = elf_memory((char *)m->file, m->size);
	m->has_go = module_has_go(m);
	if (folder < 0 || analysis_load(m, folder))
		analyse(m);
	*out = m;
	return 0;
}

void module_free(struct module *m)
{
	if (!m)
		return;
	cfi_free(m->cfi);
	if (m->elf)
		elf_end(m->elf);
	if (m->file) {
		module_unguard(m);
		munmap((void *)m->file, m->size);
	}
	for (size_t i = 0; m->exits && i < m->range_count; i++)
		free(m->exits[i].targets);
	free(m->exits);
	snapshots_close(m);
	for (size_t i = 0; m->decoded && i < m->range_count; i++)
		procedure_free(m->decoded[i]);
	free(m->decoded);
	if (!analysis_owns(m, m->targets))
		free(m->targets);
	if (m->symbols)
		vec_free(m->symbols);
	free(m->symbols);
	if (!analysis_owns(m, m->ranges))
		free(m->ranges);
	free(m->restartable);
	if (!analysis_owns(m, m->roots))
		free(m->roots);
	if (!analysis_owns(m, m->sites))
		free(m->sites);
	if (m->analysis)
		munmap((void *)m->analysis, m->analysis_size);
	free(m->path);
	free(m);
}

const uint8_t *module_bytes(const struct module *m, uint64_t offset, size_t *available)
{
	for (size_t i = 0; i < m->segment_count && !m->is_lost; i++) {
		const struct segment *s = &m->segments[i];
		if (offset >= s->offset && offset - s->offset < s->file_size) {
			*available = s->file_size - (offset - s->offset);
			return m->file + s->file_offset + (offset - s->offset);
		}
	}
	*available = 0;
	return NULL;
}

const struct segment *module_text(const struct module *m, uint64_t offset)
{
	for (size_t i = 0; i < m->segment_count; i++) {
		const struct segment *s = &m->segments[i];
		if (s->protection & PROT_EXEC && offset >= s->offset && offset - s->offset < s->file_size)
			return s;
	}
	return NULL;
}

size_t module_range_index(const struct module *m, uint64_t offset)
{
	size_t low = 0, high = m->range_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (offset < m->ranges[middle].start)
			high = middle;
		else if (offset >= m->ranges[middle].end)
			low = middle + 1;
		else
			return middle;
	}
	return SIZE_MAX;
}

bool module_has_one_text(const struct module *m)
{
	unsigned count = 0;
	for (size_t i = 0; i < m->segment_count; i++)
		count += module_text(m, m->segments[i].offset) != NULL;
	return count == 1;
}

bool module_range(const struct module *m, uint64_t offset, struct range *out)
{
	size_t i = module_range_index(m, offset);
	if (i != SIZE_MAX)
		*out = m->ranges[i];
	return i != SIZE_MAX;
}

size_t module_range_after(const struct module *m, uint64_t offset)
{
	size_t low = 0, high = m->range_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (m->ranges[middle].end <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t module_root_after(const struct module *m, uint64_t offset)
{
	size_t low = 0, high = m->root_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (m->roots[middle] < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
