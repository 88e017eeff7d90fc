/* Making known again what a snapshot holds of a procedure. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/image_private.h"
#include "engine/snapshot_private.h"

enum { INT3 = 0xcc, JUMP_SIZE = 5 };

static bool bit(const struct snapshot *s, enum snapshot_section section, uint64_t at)
{
	return ((const uint64_t *)snapshot_section(s->h, section))[at / 64] >> at % 64 & 1;
}

static void *copy_of(const void *bytes, size_t size)
{
	void *copy = malloc(size);
	if (!copy)
		abort();
	return memcpy(copy, bytes, size);
}

static void *zeros(size_t count, size_t size)
{
	void *made = calloc(count, size);
	if (!made)
		abort();
	return made;
}

static void recall_holes(const struct snapshot *s, const struct snapshot_procedure *p, struct text_plan *plan)
{
	const struct snapshot_hole *hole = (const struct snapshot_hole *)snapshot_section(s->h, SNAPSHOT_HOLES) + p->hole_at;
	for (const struct snapshot_hole *end = hole + p->hole_count; hole < end; hole++) {
		uint64_t at = hole->at + s->h->text_start;
		if (at < plan->range.start || at >= plan->range.end)
			continue;
		plan->hole_of[at - plan->range.start] = hole->goes;
		plan->has_holes = true;
	}
}

void snapshot_aim_jumps(const struct snapshot *s, const struct snapshot_procedure *p, uint64_t start, uint64_t size, uint8_t *bytes)
{
	const struct snapshot_hop *hops = snapshot_section(s->h, SNAPSHOT_HOPS);
	for (uint32_t i = p->hop_at; i < p->hop_at + p->hop_count; i++) {
		uint8_t *jump = bytes + (hops[i].at - start);
		if (hops[i].at < start || hops[i].at - start >= size)
			continue;
		if (s->hops[i])
			memcpy(jump + 1, &s->hops[i], sizeof s->hops[i]);
		else /* the landing map knows it */
			memset(jump, INT3, JUMP_SIZE);
	}
}

static void recall_plan(const struct snapshot *s, const struct snapshot_procedure *p, const uint8_t *file, struct text_plan *plan)
{
	uint64_t size = plan->range.end - plan->range.start, start = plan->range.start - s->h->text_start;
	plan->original = copy_of(file, size);
	plan->bytes = copy_of((const uint8_t *)snapshot_section(s->h, SNAPSHOT_TEXT) + start, size);
	snapshot_aim_jumps(s, p, start, size, plan->bytes);
	plan->boundary = zeros(size, 1);
	plan->landable = zeros(size, 1);
	plan->hole_of = zeros(size, sizeof *plan->hole_of);
	for (uint64_t at = 0; at < size; at++) {
		plan->boundary[at] = bit(s, SNAPSHOT_BOUNDARY, start + at);
		plan->landable[at] = bit(s, SNAPSHOT_LANDABLE, start + at);
	}
	recall_holes(s, p, plan);
}

static int recall_plans(const struct snapshot *s, const struct snapshot_procedure *p, struct redirected *r)
{
	size_t available;
	r->plans = zeros(p->range_count, sizeof *r->plans);
	r->plan_count = p->range_count;
	for (uint32_t i = 0; i < p->range_count; i++) {
		struct range range = r->procedure->ranges[i];
		range.end += snapshot_ranges(s, p)[i].padding;
		const uint8_t *file = module_bytes(r->loaded->module, range.start, &available);
		if (!file || available < range.end - range.start)
			return -EIO;
		r->plans[i].range = range;
		recall_plan(s, p, file, &r->plans[i]);
	}
	return 0;
}

static bool is_same(const struct snapshot *s, const struct snapshot_procedure *p, const struct procedure *now)
{
	const struct snapshot_range *ranges = snapshot_ranges(s, p);
	bool same = now->entry == p->entry && now->range_count == p->range_count;
	for (uint32_t i = 0; same && i < p->range_count; i++)
		same = now->ranges[i].start == now->module->ranges[ranges[i].range].start && now->ranges[i].end == now->module->ranges[ranges[i].range].end;
	return same;
}

static int make(struct loaded *l, const struct snapshot_procedure *p, struct redirected *r)
{
	const struct snapshot *s = l->snapshot;
	int status = procedure_get(l->module, p->entry, &r->procedure);
	if (!status && !is_same(s, p, r->procedure))
		status = -EILSEQ;
	if (!status)
		status = image_emit_copy_again(l, r->procedure, l->text.start + p->code, &r->copy);
	return status ? status : recall_plans(s, p, r);
}

/* It can't be known again: the file was cut short, or the engine doesn't do the same thing twice. The copy works on; the text must not be touched any more. */
static void give_up(struct loaded *l, const struct snapshot_procedure *p, int status)
{
	const struct snapshot_range *ranges = snapshot_ranges(l->snapshot, p);
	log_warning("%s: the procedure at %lx stays as its snapshot made it: %s", l->module->path, p->entry, strerror(-status));
	for (uint32_t i = 0; i < p->range_count; i++)
		vec_push(&l->written, l->module->ranges[ranges[i].range]);
}

static struct redirected *recall(struct loaded *l, const struct snapshot_procedure *p)
{
	struct snapshot *s = l->snapshot;
	const struct snapshot_range *ranges = snapshot_ranges(s, p);
	const uint64_t *extra = (const uint64_t *)snapshot_section(s->h, SNAPSHOT_EXTRAS) + p->extra_at;
	struct redirected *r = zeros(1, sizeof *r);
	r->loaded = l;
	for (uint32_t i = 0; i < p->range_count; i++)
		s->by_range[ranges[i].range] = 0;
	s->left--;
	int status = make(l, p, r);
	if (status) {
		image_free_redirected(r);
		give_up(l, p, status);
		return NULL;
	}
	for (uint32_t i = 0; i < p->extra_count; i++)
		vec_push(&r->extra, extra[i]);
	r->generation = s->generation;
	r->staged = s->staged;
	image_own(l, r);
	image_publish_landings(r);
	return r;
}

bool snapshot_has(const struct loaded *l, size_t range)
{
	return l->snapshot && l->snapshot->by_range[range];
}

struct redirected *snapshot_recall(struct loaded *l, size_t range)
{
	uint32_t n = l->snapshot ? l->snapshot->by_range[range] : 0;
	return n && n != REFUSED_RANGE ? recall(l, &snapshot_procedures(l->snapshot)[n - 1]) : NULL;
}

uint64_t snapshot_gate(const struct loaded *l, size_t range, uint64_t offset)
{
	uint32_t n = l->snapshot ? l->snapshot->by_range[range] : 0;
	const struct snapshot_procedure *p = n && n != REFUSED_RANGE ? &snapshot_procedures(l->snapshot)[n - 1] : NULL;
	return p && p->entry == offset && p->gate ? l->text.start + p->code + p->gate : 0;
}

void snapshot_recall_all(struct loaded *l, struct range offsets)
{
	const struct module *m = l->module;
	for (size_t i = 0; l->snapshot && l->snapshot->left && i < m->range_count && m->ranges[i].start < offsets.end; i++)
		if (m->ranges[i].end > offsets.start)
			snapshot_recall(l, i);
}

void snapshot_recall_copy(struct loaded *l, uint64_t code_address)
{
	if (!l->snapshot || !l->snapshot->left)
		return;
	const struct snapshot_procedure *all = snapshot_procedures(l->snapshot);
	int64_t code = code_address - l->text.start;
	size_t low = 0, high = l->snapshot->h->sections[SNAPSHOT_PROCEDURES].count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (all[middle].code <= code)
			low = middle + 1;
		else
			high = middle;
	}
	if (low && code < all[low - 1].code + (int64_t)all[low - 1].size)
		snapshot_recall(l, snapshot_ranges(l->snapshot, &all[low - 1])[0].range);
}

size_t snapshot_count(const struct loaded *l)
{
	return l->snapshot ? l->snapshot->left : 0;
}
