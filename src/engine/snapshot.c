#include "engine/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/analysis_folder.h"
#include "engine/image_private.h"
#include "engine/snapshot_private.h"

enum { JUMP_SIZE = 5, PAGE = 4096, DAY = 86400 };
void snapshot_kind(const struct image *im, const struct loaded *l, char out[SNAPSHOT_KIND_SIZE])
{
	memset(out, 0, SNAPSHOT_KIND_SIZE);
	strcpy(out, im->direct_calls ? "-direct" : "");
	for (size_t i = 0; i < l->inlined_count; i++)
		snprintf(out + strlen(out), SNAPSHOT_KIND_SIZE - strlen(out), "-%s", l->inlined[i]->name);
}

static void name_variant(const struct image *im, const struct loaded *l, unsigned variant, char out[STAMP_NAME_SIZE])
{
	char kind[SNAPSHOT_KIND_SIZE], suffix[SNAPSHOT_KIND_SIZE + 8];
	snapshot_kind(im, l, kind);
	snprintf(suffix, sizeof suffix, "%s.%u", kind, variant);
	stamp_name(l->module, suffix, out);
}

static bool has_room(const struct snapshot_header *h, const struct loaded *l)
{
	const struct snapshot_extent *e = snapshot_section(h, SNAPSHOT_EXTENTS);
	for (uint64_t i = 0; i < h->sections[SNAPSHOT_EXTENTS].count; i++)
		if (!zone_is_free(l->zone, l->text.start + e[i].start, l->text.start + e[i].end)) {
			log_debug("%s: no room for a snapshot: %#lx is taken", l->module->path, l->text.start + e[i].start - l->zone->start);
			return false;
		}
	return true;
}

static bool is_of_kind(const struct image *im, const struct snapshot_header *h, const struct loaded *l)
{
	char kind[SNAPSHOT_KIND_SIZE];
	snapshot_kind(im, l, kind);
	return !memcmp(h->kind, kind, sizeof kind);
}

static bool is_wanted(const struct image *im, const struct snapshot_header *h, size_t size, const struct loaded *l)
{
	return size > sizeof *h && is_of_kind(im, h, l) && stamp_fits(&h->stamp, l->module, snapshot_magic, size) && h->text_start == l->text.start - l->bias &&
	       h->text_size == l->text.end - l->text.start;
}

/* The folder loses the files first that were written longest ago. */
static void mark_used(int fd, const struct stat *st)
{
	if (time(NULL) - st->st_mtime > DAY)
		futimens(fd, NULL);
}

static const struct snapshot_header *map_variant(struct image *im, const struct loaded *l, unsigned variant)
{
	char name[STAMP_NAME_SIZE];
	struct stat st;
	name_variant(im, l, variant, name);
	int fd = analysis_folder_open(im->snapshots, name, &st);
	if (fd < 0)
		return NULL;
	const struct snapshot_header *h = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	bool is_good = h != MAP_FAILED && is_wanted(im, h, st.st_size, l) && stamp_holds(&h->stamp) && snapshot_is_sound(h, l->module);
	if (is_good)
		mark_used(fd, &st);
	else if (h != MAP_FAILED)
		munmap((void *)h, st.st_size);
	close(fd);
	return is_good ? h : NULL;
}

/* Mapped once, and for good: whatever becomes of the file. */
static const struct snapshot_header *open_variant(struct image *im, const struct loaded *l, unsigned variant)
{
	const void **known = &l->module->snapshots[variant];
	if (!*known)
		*known = map_variant(im, l, variant);
	return *known && is_of_kind(im, *known, l) && has_room(*known, l) ? *known : NULL;
}

void snapshots_close(struct module *m)
{
	for (int i = 0; i < SNAPSHOTS_MAX; i++)
		if (m->snapshots[i])
			munmap((void *)m->snapshots[i], ((const struct snapshot_header *)m->snapshots[i])->stamp.size);
}

static bool is_in_use(struct image *im, const struct loaded *l, unsigned variant)
{
	char name[STAMP_NAME_SIZE];
	struct snapshot_header h;
	struct stat st;
	name_variant(im, l, variant, name);
	int fd = analysis_folder_open(im->snapshots, name, &st);
	if (fd < 0)
		return false;
	bool is = read(fd, &h, sizeof h) == sizeof h && is_wanted(im, &h, st.st_size, l);
	close(fd);
	return is;
}

void snapshot_free_name(struct image *im, const struct loaded *l, char out[STAMP_NAME_SIZE])
{
	unsigned variant = 0;
	while (variant < SNAPSHOTS_MAX && is_in_use(im, l, variant))
		variant++;
	name_variant(im, l, variant < SNAPSHOTS_MAX ? variant : l->text.start / PAGE % SNAPSHOTS_MAX, out);
}

/* --- Restoring. */

static void put_copies(struct image *im, const struct snapshot *s, struct loaded *l)
{
	const struct snapshot_extent *e = snapshot_section(s->h, SNAPSHOT_EXTENTS);
	const uint8_t *code = snapshot_section(s->h, SNAPSHOT_CODE);
	for (uint64_t i = 0; i < s->h->sections[SNAPSHOT_EXTENTS].count; i++) {
		uint64_t start = l->text.start + e[i].start, end = l->text.start + e[i].end;
		zone_claim(l->zone, start, end);
		image_fill(im, zone_host(l->zone, start), code + e[i].code_at, end - start);
	}
}

static bool is_owned(const struct snapshot *s, const struct loaded *l, const struct snapshot_procedure *p)
{
	const struct snapshot_range *ranges = snapshot_ranges(s, p);
	for (uint32_t i = 0; i < p->range_count; i++)
		if (l->owner && l->owner[ranges[i].range])
			return true;
	return false;
}

/* Hops are sought anew: where another module's are is a matter of luck. */
static void put_hops(struct snapshot *s, struct loaded *l, const struct snapshot_procedure *p)
{
	const struct snapshot_hop *hops = snapshot_section(s->h, SNAPSHOT_HOPS);
	for (uint32_t i = p->hop_at; i < p->hop_at + p->hop_count; i++) {
		uint64_t from = l->text.start + hops[i].at + JUMP_SIZE, to = zone_hop(l->zone, from, hops[i].mask, l->text.start + hops[i].goes);
		s->hops[i] = to ? to - from : 0;
	}
}

static void put_returns(const struct snapshot *s, const struct loaded *l, const struct snapshot_procedure *p)
{
	uint8_t *code = zone_host(l->zone, l->text.start + p->code);
	const struct snapshot_return *r = (const struct snapshot_return *)snapshot_section(s->h, SNAPSHOT_RETURNS) + p->return_at;
	for (uint32_t i = 0; i < p->return_count; i++) {
		uint64_t address = l->text.start + r[i].text;
		uint32_t low = address, high = address >> 32;
		memcpy(code + r[i].low, &low, sizeof low);
		memcpy(code + r[i].high, &high, sizeof high);
	}
}

/* What is redirected already has another copy, but calls may lead to this one. */
static void put_gate(const struct loaded *l, const struct snapshot_procedure *p)
{
	struct copy c = {.gate = l->text.start + p->code + p->gate};
	if (p->gate)
		copy_forward(&c, l->zone, p->entry + l->bias);
}

static void put_procedure(struct snapshot *s, struct loaded *l, const struct snapshot_procedure *p)
{
	const struct snapshot_range *ranges = snapshot_ranges(s, p);
	put_returns(s, l, p);
	put_hops(s, l, p);
	for (uint32_t i = 0; i < p->range_count; i++)
		s->by_range[ranges[i].range] = p - snapshot_procedures(s) + 1;
	s->left++;
}

static uint64_t landings_size(const struct snapshot_header *h)
{
	return h->sections[SNAPSHOT_LANDED].count * sizeof(struct guest_landings) + h->sections[SNAPSHOT_LANDINGS].count;
}

/* What is redirected already has entries of its own in the map. */
static void leave_out_landings(const struct snapshot *s, const struct snapshot_procedure *p, const struct loaded *l, struct guest_landings *landed, uint64_t count)
{
	const struct snapshot_range *ranges = snapshot_ranges(s, p);
	for (uint32_t i = 0; i < p->range_count; i++) {
		uint64_t text = l->module->ranges[ranges[i].range].start - s->h->text_start, low = 0, high = count;
		while (low < high) {
			uint64_t middle = (low + high) / 2;
			if (landed[middle].text < text)
				low = middle + 1;
			else
				high = middle;
		}
		if (low < count && landed[low].text == text)
			landed[low].end = landed[low].at;
	}
}

static void put_landings(struct image *im, const struct snapshot *s, struct loaded *l, uint64_t at)
{
	uint64_t count = s->h->sections[SNAPSHOT_LANDED].count, ranges_size = count * sizeof(struct guest_landings);
	struct guest_landings *landed = (struct guest_landings *)((uint8_t *)im->tables + at);
	const struct snapshot_procedure *p = snapshot_procedures(s), *end = p + s->h->sections[SNAPSHOT_PROCEDURES].count;
	image_fill(im, landed, snapshot_section(s->h, SNAPSHOT_LANDED), ranges_size);
	image_fill(im, landed + count, snapshot_section(s->h, SNAPSHOT_LANDINGS), s->h->sections[SNAPSHOT_LANDINGS].count);
	for (; p < end && l->owner; p++)
		if (is_owned(s, l, p))
			leave_out_landings(s, p, l, landed, count);
	l->entry->ranges = at;
	l->entry->landings = at + ranges_size;
	__atomic_store_n(&l->entry->range_count, count, __ATOMIC_RELEASE);
}

static void put_refusals(struct snapshot *s, struct loaded *l)
{
	const struct snapshot_refused *r = snapshot_section(s->h, SNAPSHOT_REFUSED);
	for (uint64_t i = 0; i < s->h->sections[SNAPSHOT_REFUSED].count; i++)
		if (!s->by_range[r[i].range] && !(l->owner && l->owner[r[i].range])) {
			image_refuse(l, l->module->ranges[r[i].range].start, r[i].why);
			s->by_range[r[i].range] = REFUSED_RANGE;
		}
}

static struct snapshot *begin(const struct snapshot_header *h, const struct loaded *l)
{
	struct snapshot *s = calloc(1, sizeof *s);
	if (!s || !(s->by_range = calloc(l->module->range_count + 1, sizeof *s->by_range)) ||
	    !(s->hops = calloc(h->sections[SNAPSHOT_HOPS].count + 1, sizeof *s->hops)))
		abort();
	s->h = h;
	return s;
}

static const struct snapshot_header *find(struct image *im, const struct loaded *l)
{
	const struct snapshot_header *h = NULL;
	for (unsigned v = 0; v < SNAPSHOTS_MAX && !h; v++)
		h = open_variant(im, l, v);
	return h;
}

bool snapshot_restore(struct image *im, struct loaded *l)
{
	const struct snapshot_header *h = find(im, l);
	uint64_t landings = h ? image_reserve_tables(im, landings_size(h)) : 0;
	if (!landings || (!l->map && image_give_map(im, l)))
		return false;
	struct snapshot *s = l->snapshot = begin(h, l);
	put_copies(im, s, l);
	const struct snapshot_procedure *p = snapshot_procedures(s), *end = p + h->sections[SNAPSHOT_PROCEDURES].count;
	for (; p < end; p++)
		if (is_owned(s, l, p))
			put_gate(l, p);
		else
			put_procedure(s, l, p);
	put_landings(im, s, l, landings);
	put_refusals(s, l);
	springboard_count(&im->counts, &h->counts);
	s->staged = true;
	log_debug("%s: %zu procedures from a snapshot", l->module->path, s->left);
	return true;
}

void snapshot_free(struct loaded *l)
{
	if (!l->snapshot)
		return;
	free(l->snapshot->by_range);
	free(l->snapshot->hops);
	free(l->snapshot);
	l->snapshot = NULL;
}

/* --- Writing. */

bool snapshot_is_staged(const struct loaded *l)
{
	return l->snapshot && l->snapshot->staged;
}

/* What is redirected otherwise: it is the file's, until that is written. */
static void leave_out(const struct snapshot *s, const struct loaded *l, const struct snapshot_procedure *p, uint8_t *text)
{
	size_t available;
	const struct snapshot_range *ranges = snapshot_ranges(s, p);
	for (uint32_t i = 0; i < p->range_count; i++) {
		const struct range *r = &l->module->ranges[ranges[i].range];
		const uint8_t *file = module_bytes(l->module, r->start, &available);
		uint64_t size = r->end - r->start + ranges[i].padding;
		if (file && available >= size)
			memcpy(text + (r->start - s->h->text_start), file, size);
	}
}

uint8_t *snapshot_text(const struct loaded *l)
{
	const struct snapshot *s = l->snapshot;
	uint8_t *text = malloc(s->h->text_size);
	if (!text)
		abort();
	memcpy(text, snapshot_section(s->h, SNAPSHOT_TEXT), s->h->text_size);
	const struct snapshot_procedure *p = snapshot_procedures(s), *end = p + s->h->sections[SNAPSHOT_PROCEDURES].count;
	for (; p < end; p++)
		if (s->by_range[snapshot_ranges(s, p)[0].range])
			snapshot_aim_jumps(s, p, 0, s->h->text_size, text);
		else
			leave_out(s, l, p, text);
	return text;
}

void snapshot_written(struct loaded *l, uint32_t generation)
{
	l->snapshot->staged = false;
	l->snapshot->generation = generation;
}

bool snapshot_is_newer(const struct loaded *l, uint32_t generation)
{
	return l->snapshot && l->snapshot->generation > generation;
}
