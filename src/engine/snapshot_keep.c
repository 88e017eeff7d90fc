/* Making a snapshot's file of what a module was redirected to. */
#include <clearview/landing_code.h>
#include <errno.h>

#include "base/log.h"
#include "engine/analysis_folder.h"
#include "engine/image_private.h"
#include "engine/snapshot_file.h"
#include "engine/snapshot_private.h"

enum { JMP = 0xe9, JUMP_SIZE = 5, ALIGNMENT = 8, MERGED_DISTANCE = 64 };
#define FILE_SIZE_MAX (256ul << 20)

typedef VEC(uint8_t) byte_list;

struct maker {
	const struct loaded *l;
	VEC(const struct redirected *) kept; /* by the address of the copy */
	byte_list sections[SNAPSHOT_SECTIONS];
};

static void put(byte_list *out, const void *bytes, size_t size)
{
	if (out->capacity - out->count < size) {
		out->capacity = 2 * out->capacity + size;
		if (!(out->at = realloc(out->at, out->capacity)))
			abort();
	}
	if (size)
		memcpy(out->at + out->count, bytes, size);
	out->count += size;
}

static void put_record(struct maker *k, enum snapshot_section s, const void *record)
{
	put(&k->sections[s], record, snapshot_record_size[s]);
}

static uint32_t count_of(const struct maker *k, enum snapshot_section s)
{
	return k->sections[s].count / snapshot_record_size[s];
}

static bool has_known_ranges(const struct redirected *r)
{
	const struct module *m = r->loaded->module;
	for (size_t i = 0; i < r->procedure->range_count; i++) {
		size_t range = module_range_index(m, r->procedure->ranges[i].start);
		if (range == SIZE_MAX || m->ranges[range].start != r->procedure->ranges[i].start || m->ranges[range].end != r->procedure->ranges[i].end)
			return false;
	}
	return true;
}

static bool is_keepable(const struct redirected *r)
{
	return r->copy && r->plan_count && !r->leaving && !r->copy->detour && has_known_ranges(r);
}

static void put_landings(struct maker *k, const struct range *offsets)
{
	const struct loaded *l = k->l;
	uint64_t first = offsets->start + l->bias - l->text.start, end = offsets->end + l->bias - l->text.start;
	uint8_t coded[LANDING_SIZE_MAX];
	struct landing last = {0};
	struct guest_landings range = {.text = first, .text_end = end, .at = count_of(k, SNAPSHOT_LANDINGS)};
	for (uint64_t at = first; at < end; at++) {
		if (!l->map[at])
			continue;
		struct landing next = {at, l->zone->start + (l->map[at] & GUEST_MAP_OFFSET) - 1 - l->text.start, l->map[at] & ~GUEST_MAP_OFFSET};
		put(&k->sections[SNAPSHOT_LANDINGS], coded, landing_encode(&last, &next, coded));
		last = next;
	}
	range.end = count_of(k, SNAPSHOT_LANDINGS);
	put_record(k, SNAPSHOT_LANDED, &range);
}

static uint64_t jump_target(uint64_t at, const uint8_t *jump)
{
	int32_t distance;
	memcpy(&distance, jump + 1, sizeof distance);
	return at + JUMP_SIZE + distance;
}

/* A springboard, or the jump in a hole, whose displacement had to trap: it goes through a hop. */
static void put_hop(struct maker *k, const struct text_plan *plan, size_t at)
{
	const struct loaded *l = k->l;
	uint64_t address = plan->range.start + at + l->bias;
	bool is_jump = at + JUMP_SIZE <= plan->range.end - plan->range.start && (plan->landable[at] || plan->hole_of[at]) && plan->bytes[at] == JMP;
	uint64_t hop = is_jump ? jump_target(address, plan->bytes + at) : 0;
	if (hop < l->zone->hop_start || hop >= l->zone->hop_end)
		return;
	struct snapshot_hop h = {.at = address - l->text.start, .goes = jump_target(hop, zone_host(l->zone, hop)) - l->text.start};
	for (int i = 0; i < 4; i++)
		h.mask |= plan->boundary[at + 1 + i] ? 1u << i : 0;
	put_record(k, SNAPSHOT_HOPS, &h);
}

static void set_bit(struct maker *k, enum snapshot_section s, uint64_t at)
{
	((uint64_t *)k->sections[s].at)[at / 64] |= 1ul << at % 64;
}

static void put_plan(struct maker *k, const struct text_plan *plan)
{
	uint64_t start = plan->range.start + k->l->bias - k->l->text.start, size = plan->range.end - plan->range.start;
	memcpy(k->sections[SNAPSHOT_TEXT].at + start, plan->bytes, size);
	for (uint64_t at = 0; at < size; at++) {
		struct snapshot_hole hole = {start + at, plan->hole_of[at]};
		if (plan->boundary[at])
			set_bit(k, SNAPSHOT_BOUNDARY, start + at);
		if (plan->landable[at])
			set_bit(k, SNAPSHOT_LANDABLE, start + at);
		if (hole.goes)
			put_record(k, SNAPSHOT_HOLES, &hole);
		put_hop(k, plan, at);
	}
}

static void put_returns(struct maker *k, const struct redirected *r)
{
	for (size_t i = 0; i < r->procedure->insn_count; i++) {
		struct snapshot_return made = {.text = insn_end(&r->procedure->insns[i]) + k->l->bias - k->l->text.start};
		if (copy_return_address(r->copy, i, &made.low, &made.high))
			put_record(k, SNAPSHOT_RETURNS, &made);
	}
}

static bool is_in_kept(const struct maker *k, uint64_t code_address)
{
	size_t low = 0, high = k->kept.count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (k->kept.at[middle]->copy->code <= code_address)
			low = middle + 1;
		else
			high = middle;
	}
	return low && code_address < k->kept.at[low - 1]->copy->code + k->kept.at[low - 1]->copy->size;
}

/* Calls lead straight to copies; those that aren't kept have no place of their own. */
static void put_calls(struct maker *k, const struct redirected *r)
{
	enum { DISPLACEMENT = 4 };
	for (size_t i = 0; i < r->procedure->insn_count; i++) {
		const struct insn *call = &r->procedure->insns[i];
		if (call->flow != FLOW_CALL || !r->copy->entries[i].in_place || call->length <= DISPLACEMENT)
			continue;
		uint64_t end = insn_end(call) + k->l->bias;
		uint8_t *bytes = k->sections[SNAPSHOT_TEXT].at + (end - DISPLACEMENT - k->l->text.start);
		int32_t distance;
		memcpy(&distance, bytes, DISPLACEMENT);
		if (end + distance != call->target + k->l->bias && !is_in_kept(k, end + distance))
			memcpy(bytes, procedure_bytes(r->procedure, call) + call->length - DISPLACEMENT, DISPLACEMENT);
	}
}

/* The copy goes on where the last extent ends, with what lies between the two, or begins the next one. */
static void put_code(struct maker *k, const struct copy *c)
{
	byte_list *extents = &k->sections[SNAPSHOT_EXTENTS], *code = &k->sections[SNAPSHOT_CODE];
	static const uint8_t between[MERGED_DISTANCE];
	struct snapshot_extent next = {c->code - k->l->text.start, c->code + c->size - k->l->text.start, code->count};
	struct snapshot_extent *last = extents->count ? (struct snapshot_extent *)(extents->at + extents->count) - 1 : NULL;
	if (last && next.start - last->end < MERGED_DISTANCE) {
		put(code, between, next.start - last->end);
		last->end = next.end;
	} else {
		put_record(k, SNAPSHOT_EXTENTS, &next);
	}
	put(code, zone_host(k->l->zone, c->code), c->size);
}

static void put_procedure(struct maker *k, const struct redirected *r)
{
	put_code(k, r->copy);
	struct snapshot_procedure p = {.entry = r->procedure->entry,
				       .code = r->copy->code - k->l->text.start,
				       .size = r->copy->size,
				       .gate = r->copy->gate ? r->copy->gate - r->copy->code : 0,
				       .code_at = count_of(k, SNAPSHOT_CODE) - r->copy->size,
				       .range_at = count_of(k, SNAPSHOT_RANGES),
				       .range_count = r->procedure->range_count,
				       .extra_at = count_of(k, SNAPSHOT_EXTRAS),
				       .extra_count = r->extra.count,
				       .hole_at = count_of(k, SNAPSHOT_HOLES),
				       .hop_at = count_of(k, SNAPSHOT_HOPS),
				       .return_at = count_of(k, SNAPSHOT_RETURNS)};
	put(&k->sections[SNAPSHOT_EXTRAS], r->extra.at, r->extra.count * sizeof *r->extra.at);
	for (size_t i = 0; i < r->plan_count; i++) {
		uint32_t range = module_range_index(k->l->module, r->plans[i].range.start);
		put_record(k, SNAPSHOT_RANGES, &(struct snapshot_range){range, r->plans[i].range.end - k->l->module->ranges[range].end});
		put_plan(k, &r->plans[i]);
	}
	put_returns(k, r);
	put_calls(k, r);
	p.hole_count = count_of(k, SNAPSHOT_HOLES) - p.hole_at;
	p.hop_count = count_of(k, SNAPSHOT_HOPS) - p.hop_at;
	p.return_count = count_of(k, SNAPSHOT_RETURNS) - p.return_at;
	put_record(k, SNAPSHOT_PROCEDURES, &p);
}

static int order_copies(const void *a, const void *b)
{
	const struct redirected *x = *(struct redirected *const *)a, *y = *(struct redirected *const *)b;
	return x->copy->code < y->copy->code ? -1 : x->copy->code > y->copy->code;
}

static int order_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* Those of all procedures, in the order of the text. */
static void put_all_landings(struct maker *k)
{
	VEC(struct range) ranges = {0};
	for (size_t i = 0; i < k->kept.count; i++)
		for (size_t r = 0; r < k->kept.at[i]->plan_count; r++)
			vec_push(&ranges, k->kept.at[i]->plans[r].range);
	if (ranges.count)
		qsort(ranges.at, ranges.count, sizeof *ranges.at, order_ranges);
	for (size_t i = 0; i < ranges.count; i++)
		put_landings(k, &ranges.at[i]);
	vec_free(&ranges);
}

static void put_refused(struct maker *k, size_t first)
{
	const struct loaded *l = k->l;
	for (size_t i = first; i < l->refusals.count; i++) {
		size_t range = module_range_index(l->module, l->refusals.at[i].offset);
		struct snapshot_refused r = {range, l->refusals.at[i].why};
		if (range != SIZE_MAX)
			put_record(k, SNAPSHOT_REFUSED, &r);
	}
}

static void put_zeros(byte_list *section, uint64_t count)
{
	uint8_t *none = calloc(count, 1);
	if (!none)
		abort();
	put(section, none, count);
	free(none);
}

/* The file's text; between its segments, nothing. False: not all of it is there. */
static bool begin_text(struct maker *k)
{
	const struct module *m = k->l->module;
	uint64_t start = k->l->text.start - k->l->bias, size = k->l->text.end - k->l->text.start, words = (size + 63) / 64 * 8;
	put_zeros(&k->sections[SNAPSHOT_TEXT], size);
	put_zeros(&k->sections[SNAPSHOT_BOUNDARY], words);
	put_zeros(&k->sections[SNAPSHOT_LANDABLE], words);
	for (size_t i = 0; i < m->segment_count; i++) {
		const struct segment *s = &m->segments[i];
		size_t available = 0;
		const uint8_t *file = module_text(m, s->offset) == s ? module_bytes(m, s->offset, &available) : NULL;
		if (module_text(m, s->offset) == s && (!file || available < s->file_size))
			return false;
		if (file)
			memcpy(k->sections[SNAPSHOT_TEXT].at + (s->offset - start), file, s->file_size);
	}
	return true;
}

static void choose(struct maker *k, size_t first)
{
	for (size_t i = first; i < k->l->redirected.count; i++)
		if (is_keepable(k->l->redirected.at[i]))
			vec_push(&k->kept, k->l->redirected.at[i]);
	if (k->kept.count)
		qsort(k->kept.at, k->kept.count, sizeof *k->kept.at, order_copies);
}

static void fill(struct maker *k, size_t first_redirected, size_t first_refusal)
{
	choose(k, first_redirected);
	for (size_t i = 0; i < k->kept.count; i++)
		put_procedure(k, k->kept.at[i]);
	put_all_landings(k);
	put_refused(k, first_refusal);
}

static byte_list assemble(const struct image *im, struct maker *k, const struct springboard_counts *counts)
{
	static const uint8_t padding[ALIGNMENT];
	const struct loaded *l = k->l;
	byte_list out = {0};
	struct snapshot_header h = {.text_start = l->text.start - l->bias, .text_size = l->text.end - l->text.start, .counts = *counts};
	snapshot_kind(im, l, h.kind);
	put(&out, &h, sizeof h);
	for (int s = 0; s < SNAPSHOT_SECTIONS; s++) {
		put(&out, padding, -out.count % ALIGNMENT);
		h.sections[s].at = out.count;
		h.sections[s].count = count_of(k, s);
		put(&out, k->sections[s].at, k->sections[s].count);
	}
	put(&out, padding, -out.count % ALIGNMENT);
	memcpy(out.at, &h, sizeof h);
	return out;
}

/* Room that was short when it was made need not be the next time. */
static bool was_full(const struct loaded *l, size_t first_refusal)
{
	for (size_t i = first_refusal; i < l->refusals.count; i++)
		if (l->refusals.at[i].why == REFUSED_FULL)
			return true;
	return false;
}

static int save(struct image *im, const struct loaded *l, void *file, size_t size)
{
	char name[STAMP_NAME_SIZE];
	if (size > FILE_SIZE_MAX)
		return -EFBIG;
	if (!stamp(l->module, snapshot_magic, file, size))
		return 0;
	snapshot_free_name(im, l, name);
	return analysis_folder_put(im->snapshots, name, file, size, SNAPSHOTS_SIZE_MAX);
}

void snapshot_keep(struct image *im, struct loaded *l, size_t first_redirected, size_t first_refusal, const struct springboard_counts *counts)
{
	struct maker k = {.l = l};
	if (!l->map || was_full(l, first_refusal))
		return;
	if (begin_text(&k)) {
		fill(&k, first_redirected, first_refusal);
		byte_list made = assemble(im, &k, counts);
		int status = l->module->is_lost ? 0 : save(im, l, made.at, made.count);
		if (status)
			log_info("the snapshot of %s can't be kept: %s", l->module->path, strerror(-status));
		vec_free(&made);
	}
	vec_free(&k.kept);
	for (int s = 0; s < SNAPSHOT_SECTIONS; s++)
		vec_free(&k.sections[s]);
}
