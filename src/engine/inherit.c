#include "engine/inherit.h"

#include <clearview/landing_code.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine/image_private.h"

enum { CHUNK = 65536, INT3 = 0xcc, JMP = 0xe9, COPY_REACH = 1024 };

/* FNV-1a. */
uint64_t image_module_identity(const struct module *m)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (const char *c = m->key.hex; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 0x100000001b3;
	return hash;
}

static void resume_zone(struct image *im, size_t n)
{
	struct guest_legacy *legacy = &im->tables->legacy;
	struct zone *z = &im->zones[n];
	zone_init(z, legacy->zone[n], legacy->above[n], im->code_host + GUEST_CODE_OFFSET + n * ZONE_SIZE);
	z->stub_probe = z->copies[0].next; /* the first that image_add_zone put there; there may be no room for another */
	zone_resume(z, legacy->next_copy[n], legacy->hop_pages[n]);
	im->zone_count = n + 1;
}

int image_inherit(struct image *im, uint8_t *code_host, void *shared_host, uint64_t base, const struct text_access *access)
{
	struct guest_tables *tables = (struct guest_tables *)(code_host + GUEST_TABLES_OFFSET);
	const struct guest_legacy *legacy = &tables->legacy;
	if (tables->abi_version != GUEST_ABI_VERSION || !legacy->next_probe || !legacy->zone[0])
		return -EPROTO;
	*im = (struct image){.code_host = code_host,
			     .tables = tables,
			     .shared = shared_host,
			     .base = base,
			     .access = *access,
			     .generation = legacy->generation + 1,
			     .next_probe = legacy->next_probe,
			     .next_map = legacy->next_map,
			     .redirect_all = legacy->redirect_all,
			     .direct_calls = legacy->redirect_all > 1,
			     .only_traps = legacy->only_traps,
			     .visits = legacy->visits,
			     .snapshots = -1,
			     .code_file = -1,
			     .has_inherited = true};
	im->shared->ring_wait = 0;
	for (size_t n = 0; n < 2 && legacy->zone[n]; n++)
		resume_zone(im, n);
	return 0;
}

static int order_former(const void *a, const void *b)
{
	const struct former_copy *x = a, *y = b;
	return x->code < y->code ? -1 : x->code > y->code;
}

/* Pages of the map that were never written are left alone: reading one would give it memory. */
static void remember_former(struct image *im, const struct loaded *l, uint64_t first, uint64_t end)
{
	for (uint64_t i = first; i < end; i++)
		if (l->map[i])
			vec_push(&im->former, (struct former_copy){l->zone->start + (l->map[i] & GUEST_MAP_OFFSET) - 1, l->text.start + i});
}

static void remember_map(struct image *im, const struct loaded *l)
{
	enum { PAGE = 4096, ENTRIES = PAGE / sizeof(uint32_t) };
	uint64_t count = l->text.end - l->text.start, pages = (count + ENTRIES - 1) / ENTRIES;
	unsigned char *resident = malloc(pages);
	if (!resident)
		abort();
	memset(resident, 1, pages);
	mincore(l->map, pages * PAGE, resident);
	for (uint64_t i = 0; i < pages; i++)
		if (resident[i] & 1)
			remember_former(im, l, i * ENTRIES, (i + 1) * ENTRIES < count ? (i + 1) * ENTRIES : count);
	free(resident);
	if (im->former.count)
		qsort(im->former.at, im->former.count, sizeof *im->former.at, order_former);
}

static void spread_range(struct loaded *l, const uint8_t *at, const uint8_t *end)
{
	int64_t base = l->text.start - l->zone->start + 1;
	struct landing next = {0};
	while ((at = landing_decode(at, end, &next)))
		if (next.at < l->text.end - l->text.start && !l->map[next.at])
			__atomic_store_n(&l->map[next.at], ((uint32_t)(next.code + base) & GUEST_MAP_OFFSET) | next.flags, __ATOMIC_RELEASE);
}

/* What is said in short goes into the map. Entries that it has are newer. The guest may have written there. */
static void spread_landings(struct image *im, struct loaded *l)
{
	const uint8_t *tables = (const uint8_t *)im->tables;
	const struct guest_module g = *l->entry;
	const struct guest_landings *ranges = (const void *)(tables + g.ranges);
	bool sound = g.ranges <= GUEST_TABLES_SIZE && g.landings <= GUEST_TABLES_SIZE && g.range_count <= (GUEST_TABLES_SIZE - g.ranges) / sizeof *ranges;
	for (uint64_t i = 0; sound && i < g.range_count; i++) {
		struct guest_landings r = ranges[i];
		if (r.at <= r.end && r.end <= GUEST_TABLES_SIZE - g.landings)
			spread_range(l, tables + g.landings + r.at, tables + g.landings + r.end);
	}
	__atomic_store_n(&l->entry->range_count, 0, __ATOMIC_RELEASE);
}

void image_inherit_map(struct image *im, struct loaded *l)
{
	for (size_t i = 0; i < im->tables->module_count && i < GUEST_MODULES_MAX; i++) {
		struct guest_module *g = &im->tables->module[i];
		bool same = g->start == l->text.start && g->end == l->text.end && g->map;
		if (!same)
			continue;
		if (g->identity != image_module_identity(l->module) || g->code != l->zone->start) { /* another file was loaded there since */
			__atomic_store_n(&g->start, 0, __ATOMIC_RELEASE);
			continue;
		}
		l->entry = g;
		l->map = (uint32_t *)((uint8_t *)im->tables + g->map);
		spread_landings(im, l);
		remember_map(im, l);
		return;
	}
}

uint64_t image_former_original(struct image *im, uint64_t code_address)
{
	size_t low = 0, high = im->former.count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (im->former.at[middle].code <= code_address)
			low = middle + 1;
		else
			high = middle;
	}
	return low && code_address - im->former.at[low - 1].code < COPY_REACH ? im->former.at[low - 1].original : 0;
}

static bool is_known_root(const struct procedure *p, const struct insn *i)
{
	return i->address == p->entry || (i > p->insns && insn_is_call(i - 1) && insn_end(i - 1) == i->address);
}

static void inherit_roots_of_range(struct redirected *r, const struct range *range, const uint8_t *now)
{
	const struct procedure *p = r->procedure;
	for (size_t k = 0; k < p->insn_count; k++) {
		const struct insn *i = &p->insns[k];
		if (i->address < range->start || insn_end(i) > range->end)
			continue;
		const uint8_t *bytes = now + (i->address - range->start);
		bool springboard = *bytes == JMP && memcmp(bytes, procedure_bytes(p, i), i->length);
		if (springboard && !is_known_root(p, i))
			vec_push(&r->extra, i->address);
	}
}

/* Where the former supervisor had a springboard, it had found that control comes in. */
void image_inherit_roots(struct image *im, struct redirected *r)
{
	for (size_t k = 0; k < r->procedure->range_count && r->loaded->in.count; k++) {
		const struct range *range = &r->procedure->ranges[k];
		size_t size = range->end - range->start;
		uint8_t *now = malloc(size);
		if (!now)
			abort();
		if (!im->access.read(im->access.context, r->loaded->in.at[0], range->start + r->loaded->bias, now, size))
			inherit_roots_of_range(r, range, now);
		free(now);
	}
}

/* A trap that leads to a stub into the blob: a hook on a procedure that is native. */
static bool is_hook(const struct loaded *l, uint64_t offset, uint8_t byte)
{
	uint32_t to = l->map[offset + l->bias - l->text.start] & GUEST_MAP_OFFSET;
	const uint8_t *code = to ? zone_host(l->zone, l->zone->start + to - 1) : NULL;
	return byte == INT3 && code && code[0] == 0xff && code[1] == 0x25;
}

/* At a byte that isn't the file's. Returns the offset to look on from. */
static uint64_t inherit_at(struct image *im, struct loaded *l, uint64_t offset, uint8_t byte, unsigned *lost)
{
	size_t range = module_range_index(l->module, offset);
	uint64_t next = range == SIZE_MAX ? offset + 1 : l->module->ranges[range].end;
	uint64_t entry = range == SIZE_MAX ? offset : l->module->ranges[range].start;
	struct redirected *r = image_redirected(l, offset);
	if (!r && (r = image_padded(l, offset, &next))) {
		r->inherited = true;
		return next;
	}
	if (!r && is_hook(l, offset, byte))
		return offset + 1;
	if (!r && !l->map[entry + l->bias - l->text.start])
		return next; /* not ours: a debugger's, or the program's own work */
	if (!r) {
		*lost += image_redirect(im, l, offset, NULL, 0) != 0;
		r = image_redirected(l, offset);
	}
	if (r)
		r->inherited = true;
	return next;
}

static unsigned inherit_segment(struct image *im, struct loaded *l, const struct segment *s, pid_t pid)
{
	static uint8_t bytes[CHUNK];
	unsigned lost = 0;
	uint64_t offset = s->offset, end = s->offset + s->file_size;
	while (offset < end) {
		size_t available, size = end - offset < CHUNK ? end - offset : CHUNK;
		const uint8_t *file = module_bytes(l->module, offset, &available);
		if (!file || available < size || im->access.read(im->access.context, pid, offset + l->bias, bytes, size))
			break;
		if (!memcmp(bytes, file, size)) {
			offset += size;
			continue;
		}
		size_t at = 0;
		while (bytes[at] == file[at])
			at++;
		offset = inherit_at(im, l, offset + at, bytes[at], &lost);
	}
	return lost;
}

unsigned image_inherit_text(struct image *im, pid_t pid)
{
	unsigned lost = 0;
	for (size_t m = 0; m < im->modules.count; m++) {
		struct loaded *l = im->modules.at[m];
		for (size_t i = 0; l->map && image_process_has(l, pid) && i < l->module->segment_count; i++)
			if (module_text(l->module, l->module->segments[i].offset) == &l->module->segments[i])
				lost += inherit_segment(im, l, &l->module->segments[i], pid);
	}
	return lost;
}

void image_retire_probes(struct image *im, uint32_t end)
{
	for (uint32_t n = 1; n < end; n++) {
		const struct guest_probe *p = image_probe(im, n);
		bool keeps_order = p->work == PROBE_SYSCALL || p->work == PROBE_CLONED || p->work == PROBE_EXECED;
		if (keeps_order) /* a thread in an old copy may still come to those */
			continue;
		if (!im->tables->firewall)
			image_probe_leaves(im, n);
		image_probe_free(im, n);
	}
}
