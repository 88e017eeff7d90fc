#include "engine/analysis.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vec.h"
#include "engine/analysis_folder.h"
#include "engine/module_symbols.h"
#include "engine/procedure.h"
#include "engine/stamp.h"
#include "engine/syscall_sites.h"

enum { ALIGNMENT = 8, FILE_SIZE_MAX = 64 << 20, PROCEDURES_SIZE_MAX = 4 << 20 };

#define ANALYSES_SIZE_MAX (256ul << 20) /* bytes, of all in the folder */

static const char magic[8] = "cv-anl-1";

/* At the start of a file. The arrays follow in the order of their counts, each at a multiple of ALIGNMENT; then the procedures. */
struct header {
	struct stamp stamp;
	uint64_t sites_wanted;
	uint32_t range_count, root_count, symbol_count, site_count, procedure_count;
	uint32_t target_count; /* + 1; 0: nobody asked */
};

/* Followed by its ranges, instructions, blocks, landings and exits. */
struct saved_procedure {
	uint64_t entry;
	uint32_t range_count, insn_count, block_count, entry_block, landing_count, exit_count;
};

/* --- Reading. */

struct reader {
	const uint8_t *at, *end;
};

/* The next array; NULL: it doesn't fit in. */
static const void *take(struct reader *r, size_t count, size_t size)
{
	const uint8_t *at = r->at;
	size_t bytes = (count * size + ALIGNMENT - 1) & ~(ALIGNMENT - 1ul);
	if (count > FILE_SIZE_MAX || bytes > (size_t)(r->end - at))
		return NULL;
	r->at += bytes;
	return at;
}

static bool is_sound(const struct procedure *p)
{
	bool sound = p->insn_count && p->range_count && p->entry_block < p->block_count;
	for (size_t i = 0; sound && i < p->block_count; i++) {
		const struct block *b = &p->blocks[i];
		sound = b->count && b->first < p->insn_count && b->count <= p->insn_count - b->first && b->successor_count <= 2;
		for (unsigned k = 0; sound && k < b->successor_count; k++)
			sound = b->successor[k] < p->block_count;
	}
	for (size_t i = 0; sound && i < p->landing_count; i++)
		sound = p->landings[i] < p->block_count;
	return sound;
}

static struct procedure *read_procedure(struct module *m, struct reader *r)
{
	const struct saved_procedure *s = take(r, 1, sizeof *s);
	struct procedure *p = s ? calloc(1, sizeof *p) : NULL;
	if (!p)
		return NULL;
	*p = (struct procedure){.module = m, .entry = s->entry, .range_count = s->range_count, .insn_count = s->insn_count, .block_count = s->block_count,
				.entry_block = s->entry_block, .landing_count = s->landing_count, .exit_count = s->exit_count, .users = 1,
				.lasting = true, .borrowed = true};
	p->ranges = (struct range *)take(r, p->range_count, sizeof *p->ranges);
	p->insns = (struct insn *)take(r, p->insn_count, sizeof *p->insns);
	p->blocks = (struct block *)take(r, p->block_count, sizeof *p->blocks);
	p->landings = (uint32_t *)take(r, p->landing_count, sizeof *p->landings);
	p->exits = (uint64_t *)take(r, p->exit_count, sizeof *p->exits);
	if (p->ranges && p->insns && p->blocks && p->landings && p->exits && is_sound(p))
		return p;
	procedure_free(p);
	return NULL;
}

static void read_procedures(struct module *m, struct reader *r, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct procedure *p = read_procedure(m, r);
		if (!p)
			return;
		procedure_keep(m, p);
		procedure_free(p);
	}
}

static bool is_wanted(const struct module *m, const struct header *h, size_t size)
{
	return size > sizeof *h && stamp_fits(&h->stamp, m, magic, size) && stamp_holds(&h->stamp);
}

static bool fill_in(struct module *m, const struct header *h)
{
	struct reader r = {(const uint8_t *)(h + 1), (const uint8_t *)h + h->stamp.size};
	const struct range *ranges = take(&r, h->range_count, sizeof *ranges);
	const uint64_t *roots = take(&r, h->root_count, sizeof *roots);
	const struct symbol_answer *symbols = take(&r, h->symbol_count, sizeof *symbols);
	const struct syscall_site *sites = take(&r, h->site_count, sizeof *sites);
	const uint64_t *targets = h->target_count ? take(&r, h->target_count - 1, sizeof *targets) : roots;
	if (!ranges || !roots || !symbols || !sites || !targets)
		return false;
	m->ranges = (struct range *)ranges;
	m->range_count = h->range_count;
	m->roots = (uint64_t *)roots;
	m->root_count = h->root_count;
	for (size_t i = 0; i < h->symbol_count; i++)
		vec_push(m->symbols, symbols[i]);
	m->sites = (struct syscall_site *)sites;
	m->site_count = h->site_count;
	m->sites_wanted = h->sites_wanted;
	m->targets_known = h->target_count;
	if (m->targets_known) {
		m->targets = (uint64_t *)targets;
		m->target_count = h->target_count - 1;
	}
	read_procedures(m, &r, h->procedure_count);
	return true;
}

int analysis_load(struct module *m, int folder)
{
	char name[STAMP_NAME_SIZE];
	struct stat st;
	stamp_name(m, "", name);
	int fd = analysis_folder_open(folder, name, &st);
	if (fd < 0)
		return fd;
	void *map = st.st_size > FILE_SIZE_MAX ? MAP_FAILED : mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return -ENOMEM;
	m->analysis = map;
	m->analysis_size = st.st_size;
	if (is_wanted(m, map, st.st_size) && fill_in(m, map))
		return 0;
	munmap(map, st.st_size);
	m->analysis = NULL;
	return -EBADMSG;
}

/* An array without elements may be at its very end. */
bool analysis_owns(const struct module *m, const void *bytes)
{
	return m->analysis && (uintptr_t)bytes - (uintptr_t)m->analysis <= m->analysis_size;
}

/* --- Writing. */

typedef VEC(uint8_t) byte_list;

static void put(byte_list *out, const void *bytes, size_t count, size_t size)
{
	size_t wanted = (count * size + ALIGNMENT - 1) & ~(ALIGNMENT - 1ul);
	if (out->capacity - out->count < wanted) {
		out->capacity = 2 * out->capacity + wanted;
		if (!(out->at = realloc(out->at, out->capacity)))
			abort();
	}
	memset(out->at + out->count, 0, wanted);
	if (count)
		memcpy(out->at + out->count, bytes, count * size);
	out->count += wanted;
}

static void put_procedure(byte_list *out, const struct procedure *p)
{
	struct saved_procedure s = {p->entry, p->range_count, p->insn_count, p->block_count, p->entry_block, p->landing_count, p->exit_count};
	put(out, &s, 1, sizeof s);
	put(out, p->ranges, p->range_count, sizeof *p->ranges);
	put(out, p->insns, p->insn_count, sizeof *p->insns);
	put(out, p->blocks, p->block_count, sizeof *p->blocks);
	put(out, p->landings, p->landing_count, sizeof *p->landings);
	put(out, p->exits, p->exit_count, sizeof *p->exits);
}

static uint32_t put_procedures(byte_list *out, const struct module *m)
{
	size_t limit = out->count + PROCEDURES_SIZE_MAX;
	uint32_t count = 0;
	for (size_t i = 0; m->decoded && i < m->range_count && out->count < limit; i++) {
		const struct procedure *p = m->decoded[i];
		if (p && p->lasting && p->ranges[0].start == m->ranges[i].start) { /* by its first part, once */
			put_procedure(out, p);
			count++;
		}
	}
	return count;
}

static byte_list make_file(const struct module *m)
{
	byte_list out = {0};
	struct header h = {.sites_wanted = m->sites_wanted, .range_count = m->range_count,
			   .root_count = m->root_count, .symbol_count = m->symbols->count, .site_count = m->site_count};
	put(&out, &h, 1, sizeof h);
	put(&out, m->ranges, m->range_count, sizeof *m->ranges);
	put(&out, m->roots, m->root_count, sizeof *m->roots);
	put(&out, m->symbols->at, m->symbols->count, sizeof *m->symbols->at);
	put(&out, m->sites, m->site_count, sizeof *m->sites);
	if (m->targets_known) {
		put(&out, m->targets, m->target_count, sizeof *m->targets);
		h.target_count = m->target_count + 1;
	}
	h.procedure_count = put_procedures(&out, m);
	memcpy(out.at, &h, sizeof h);
	return out;
}

int analysis_save(struct module *m, int folder)
{
	char name[STAMP_NAME_SIZE];
	if (!m->learned)
		return 0;
	m->learned = false;
	byte_list bytes = make_file(m);
	stamp_name(m, "", name);
	int status = bytes.count > FILE_SIZE_MAX ? -EFBIG :
		     stamp(m, magic, bytes.at, bytes.count) ? analysis_folder_put(folder, name, bytes.at, bytes.count, ANALYSES_SIZE_MAX) : 0;
	vec_free(&bytes);
	return status;
}
