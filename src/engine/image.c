#include "engine/image.h"
#include "engine/attempt.h"
#include "engine/image_private.h"
#include "engine/restartable.h"
#include "engine/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "x86/emit.h"

void image_init(struct image *im, uint8_t *code_host, void *shared_host, uint64_t base, const struct text_access *access)
{
	*im = (struct image){.code_host = code_host, .shared = shared_host, .base = base, .access = *access, .generation = 1, .next_probe = 1, .snapshots = -1};
	im->tables = (struct guest_tables *)(code_host + GUEST_TABLES_OFFSET);
	im->tables->abi_version = GUEST_ABI_VERSION;
	im->next_map = GUEST_MAPS_OFFSET;
	im->tables->legacy.next_map = im->next_map;
	im->tables->legacy.next_probe = im->next_probe;
	im->tables->legacy.generation = im->generation;
}

/* jmp *2(%rip); 2 bytes; .quad target: the way from any zone to the blob in zone 0. Aligned: a program may have the processor check that. */
uint64_t emit_stub(struct zone *z, uint64_t target)
{
	uint64_t at = zone_reserve(z, 16);
	if (!at)
		return 0;
	struct emitter e = {zone_host(z, at), at, 16, 0, false};
	emit_bytes(&e, (uint8_t[]){0xff, 0x25, 2, 0, 0, 0, 0xcc, 0xcc}, 8);
	emit_bytes(&e, &target, 8);
	return at;
}

void image_add_zone(struct image *im, uint64_t start, bool above)
{
	size_t n = im->zone_count++;
	struct zone *z = &im->zones[n];
	const struct guest_header *header = (const struct guest_header *)im->code_host;
	zone_init(z, start, above, im->code_host + GUEST_CODE_OFFSET + n * ZONE_SIZE);
	z->next_copy = im->tables->legacy.next_copy[n];
	z->hop_pages = im->tables->legacy.hop_pages[n];
	im->tables->legacy.zone[n] = start;
	im->tables->legacy.above[n] = above;
	z->stub_probe = emit_stub(z, im->base + header->entry[ENTRY_PROBE]);
	im->tables->code_start[n] = start;
	im->tables->code_end[n] = start + ZONE_SIZE;
}

void image_free_redirected(struct redirected *r)
{
	for (size_t i = 0; i < r->old_copies.count; i++)
		copy_free(r->old_copies.at[i]);
	vec_free(&r->old_copies);
	vec_free(&r->extra);
	text_plans_free(r->plans, r->plan_count);
	copy_free(r->copy);
	procedure_free(r->procedure);
	free(r);
}

void image_unload(struct image *im, struct loaded *l)
{
	for (size_t i = 0; i < im->modules.count; i++)
		if (im->modules.at[i] == l) {
			im->modules.at[i] = im->modules.at[--im->modules.count];
			break;
		}
	if (l->entry)
		__atomic_store_n(&l->entry->end, 0, __ATOMIC_RELEASE), __atomic_store_n(&l->entry->start, 0, __ATOMIC_RELEASE);
	for (size_t i = 0; i < l->redirected.count; i++)
		image_free_redirected(l->redirected.at[i]);
	vec_free(&l->redirected);
	snapshot_free(l);
	vec_free(&l->in);
	vec_free(&l->sealed);
	free(l->fetched);
	vec_free(&l->written);
	vec_free(&l->refusals);
	image_forget_wishes(im, l);
	free(l->owner);
	free(l->visit_probes);
	free(l);
}

void image_release(struct image *im)
{
	while (im->modules.count)
		image_unload(im, im->modules.at[0]);
	for (size_t i = 0; i < im->zone_count; i++)
		zone_release(&im->zones[i]);
	vec_free(&im->modules);
	vec_free(&im->processes);
	vec_free(&im->free_probes);
	vec_free(&im->former);
	vec_free(&im->dirty);
}

static struct zone *zone_for(struct image *im, const struct module *m, uint64_t bias)
{
	uint64_t low = UINT64_MAX, high = 0;
	for (size_t i = 0; i < m->segment_count; i++) {
		if (m->segments[i].offset < low)
			low = m->segments[i].offset;
		if (m->segments[i].offset + m->segments[i].memory_size > high)
			high = m->segments[i].offset + m->segments[i].memory_size;
	}
	for (size_t i = 0; i < im->zone_count; i++)
		if (zone_reaches(&im->zones[i], low + bias, high + bias))
			return &im->zones[i];
	return NULL;
}

struct loaded *image_load(struct image *im, struct module *m, uint64_t bias)
{
	struct loaded *l = calloc(1, sizeof *l);
	if (!l)
		abort();
	l->module = m;
	l->fresh = !im->has_inherited;
	l->bias = bias;
	l->text = (struct range){UINT64_MAX, 0};
	for (size_t i = 0; i < m->segment_count; i++) {
		const struct segment *s = &m->segments[i];
		if (!module_text(m, s->offset))
			continue;
		if (s->offset + bias < l->text.start)
			l->text.start = s->offset + bias;
		if (s->offset + bias + s->file_size > l->text.end)
			l->text.end = s->offset + bias + s->file_size;
	}
	l->zone = zone_for(im, m, bias);
	if (im->has_inherited && l->zone)
		image_inherit_map(im, l);
	vec_push(&im->modules, l);
	return l;
}

struct loaded *image_module_at(struct image *im, uint64_t address)
{
	for (size_t i = 0; i < im->modules.count; i++)
		if (address >= im->modules.at[i]->text.start && address < im->modules.at[i]->text.end)
			return im->modules.at[i];
	return NULL;
}

struct loaded *image_module(struct image *im, const struct module_key *key)
{
	for (size_t i = 0; i < im->modules.count; i++)
		if (!strcmp(im->modules.at[i]->module->key.hex, key->hex))
			return im->modules.at[i];
	return NULL;
}

/* The one that was freed first: whoever was in its copy has most likely left. */
static uint32_t free_probe_take(struct image *im)
{
	if (im->free_probes_used == im->free_probes.count)
		return 0;
	uint32_t n = im->free_probes.at[im->free_probes_used++];
	if (im->free_probes_used * 2 > im->free_probes.count) {
		im->free_probes.count -= im->free_probes_used;
		memmove(im->free_probes.at, im->free_probes.at + im->free_probes_used, im->free_probes.count * sizeof *im->free_probes.at);
		im->free_probes_used = 0;
	}
	return n;
}

uint32_t image_probe_new(struct image *im)
{
	uint32_t n;
	if ((n = free_probe_take(im)))
		;
	else if (im->next_probe < PROBE_COUNT_MAX)
		im->tables->legacy.next_probe = 1 + (n = im->next_probe++);
	else
		return 0;
	__atomic_store_n(&im->tables->probe[n].leaves, 0, __ATOMIC_SEQ_CST); /* before the rest: a guest may be looking */
	im->tables->probe[n] = (struct guest_probe){.cfa_register = REG_NONE, .turn = (im->tables->probe[n].turn + 1) % PROBE_TURNS};
	memset(&im->shared->tally[n], 0, sizeof im->shared->tally[n]);
	return n;
}

void image_probe_free(struct image *im, uint32_t probe)
{
	if (!probe)
		return;
	__atomic_store_n(&im->tables->probe[probe].enabled, 0, __ATOMIC_RELEASE);
	/* Its number may still be woven into a copy that a thread is in, for ever. There it says whose turn it was. Only of observing probes are there many. */
	if (im->tables->probe[probe].work == PROBE_OBSERVE)
		vec_push(&im->free_probes, probe);
}

void image_probe_leaves(struct image *im, uint32_t probe)
{
	struct guest_probe *p = &im->tables->probe[probe];
	__atomic_store_n(&p->leaves, p->work == PROBE_OBSERVE && p->resume, __ATOMIC_RELEASE);
}

uint32_t image_probe_id(const struct image *im, uint32_t probe)
{
	return PROBE_ID(probe % PROBE_COUNT_MAX, im->tables->probe[probe % PROBE_COUNT_MAX].turn);
}

struct guest_probe *image_probe(struct image *im, uint32_t probe)
{
	return &im->tables->probe[probe % PROBE_COUNT_MAX];
}

uint64_t image_reserve_tables(struct image *im, uint64_t size)
{
	uint64_t at = im->next_map;
	if (size > GUEST_TABLES_SIZE - at)
		return 0;
	im->tables->legacy.next_map = im->next_map = (at + size + 4095) & ~4095ul;
	return at;
}

/* A landing map of four bytes a byte of text; pages that nothing lands in are never touched. */
int image_give_map(struct image *im, struct loaded *l)
{
	size_t slot = 0;
	uint64_t map;
	while (slot < GUEST_MODULES_MAX && im->tables->module[slot].map && im->tables->module[slot].start)
		slot++;
	if (slot == GUEST_MODULES_MAX || !(map = image_reserve_tables(im, (l->text.end - l->text.start) * sizeof(uint32_t))))
		return -ENOSPC;
	struct guest_module *g = &im->tables->module[slot];
	g->map = map;
	g->code = l->zone->start;
	g->identity = image_module_identity(l->module);
	g->range_count = 0;
	l->map = (uint32_t *)((uint8_t *)im->tables + map);
	/* While one of them is 0 the other must not make it hold anything: a guest may be looking. */
	__atomic_store_n(&g->start, l->text.start, __ATOMIC_RELEASE);
	__atomic_store_n(&g->end, l->text.end, __ATOMIC_RELEASE);
	if (slot >= im->tables->module_count)
		__atomic_store_n(&im->tables->module_count, slot + 1, __ATOMIC_RELEASE);
	l->entry = g;
	return 0;
}

static bool is_landable(const struct redirected *r, uint64_t offset)
{
	for (size_t i = 0; i < r->plan_count; i++)
		if (offset >= r->plans[i].range.start && offset < r->plans[i].range.end)
			return r->plans[i].landable[offset - r->plans[i].range.start];
	return false;
}

/* What was approved stays so: a thread may be on its way to an instruction that ran in place until now. */
static void publish_landing(struct loaded *l, uint64_t offset, uint32_t to, bool approved)
{
	uint32_t *at = &l->map[offset + l->bias - l->text.start];
	__atomic_store_n(at, to | (*at & GUEST_MAP_APPROVED) | (approved ? GUEST_MAP_APPROVED : 0), __ATOMIC_RELEASE);
}

void image_publish_landings(struct redirected *r)
{
	struct loaded *l = r->loaded;
	uint64_t code = r->copy->code - l->zone->start;
	for (size_t k = 0; k < r->procedure->insn_count; k++) {
		const struct copy_entry *e = &r->copy->entries[k];
		bool detours = r->copy->detour && e->offset == r->procedure->entry;
		/* A call in place traps only while a commit writes it: its copy jumps to it, until it is there. */
		uint32_t to = detours ? r->copy->detour - l->zone->start + 1 : code + e->code + 1;
		publish_landing(l, e->offset, e->in_place ? to | GUEST_MAP_CALL : to, is_landable(r, e->offset));
	}
	for (size_t i = 0; i < r->plan_count; i++)
		for (uint64_t at = r->plans[i].range.start; r->plans[i].has_holes && at < r->plans[i].range.end; at++) {
			uint32_t hole = r->plans[i].hole_of[at - r->plans[i].range.start];
			if (hole)
				publish_landing(l, at, code + hole, true);
		}
}

/* Procedures outside .eh_frame: few, so a search will do. */
static struct redirected *owner_outside_ranges(struct loaded *l, uint64_t offset)
{
	for (size_t i = 0; i < l->redirected.count; i++) {
		const struct procedure *p = l->redirected.at[i]->procedure;
		for (size_t k = 0; k < p->range_count; k++)
			if (offset >= p->ranges[k].start && offset < p->ranges[k].end)
				return l->redirected.at[i];
	}
	return NULL;
}

struct redirected *image_redirected(struct loaded *l, uint64_t offset)
{
	size_t range = module_range_index(l->module, offset);
	if (range == SIZE_MAX)
		return owner_outside_ranges(l, offset);
	struct redirected *r = l->owner ? l->owner[range] : NULL;
	return r ? r : snapshot_recall(l, range);
}

size_t image_redirected_count(const struct loaded *l)
{
	return l->redirected.count + snapshot_count(l);
}

struct redirected *image_padded(struct loaded *l, uint64_t offset, uint64_t *end)
{
	const struct module *m = l->module;
	size_t low = 0, high = m->range_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (m->ranges[middle].end <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	struct redirected *r = low ? image_redirected(l, m->ranges[low - 1].start) : NULL;
	for (size_t i = 0; r && i < r->plan_count; i++)
		if (offset >= m->ranges[low - 1].end && offset >= r->plans[i].range.start && offset < r->plans[i].range.end) {
			*end = r->plans[i].range.end;
			return r;
		}
	return NULL;
}

static void own_ranges(struct loaded *l, struct redirected *r)
{
	if (!l->owner)
		l->owner = calloc(l->module->range_count + 1, sizeof *l->owner);
	if (!l->owner)
		abort();
	for (size_t i = 0; i < r->procedure->range_count; i++) {
		size_t range = module_range_index(l->module, r->procedure->ranges[i].start);
		if (range != SIZE_MAX)
			l->owner[range] = r;
	}
}

void image_own(struct loaded *l, struct redirected *r)
{
	vec_push(&l->redirected, r);
	own_ranges(l, r);
}

void image_refuse(struct loaded *l, uint64_t offset, enum refusal why)
{
	vec_push(&l->refusals, (struct refused){offset, why});
	l->refused++;
	l->refused_by[why]++;
}

static int refuse(struct loaded *l, uint64_t offset, int status)
{
	image_refuse(l, offset, refusal_of(status));
	return status;
}

/* Ranges that another redirected procedure owns stay with it. */
static bool overlaps_other(struct loaded *l, const struct procedure *p, const struct redirected *self)
{
	for (size_t i = 0; i < p->range_count; i++) {
		struct redirected *other = image_redirected(l, p->ranges[i].start);
		if (other && other != self)
			return true;
	}
	return false;
}

/* A procedure that isn't redirected yet. Takes p over, on failure too. */
static int adopt_procedure(struct image *im, struct loaded *l, struct procedure *p, struct redirected **out)
{
	int status = restartable_in(l->module, p->ranges, p->range_count) ? -ENOTSUP :
		     overlaps_other(l, p, NULL) || image_is_written(l, p) ? -EBUSY :
		     l->map ? 0 : image_give_map(im, l);
	if (status) {
		procedure_free(p);
		return status;
	}
	*out = calloc(1, sizeof **out);
	if (!*out)
		abort();
	(*out)->loaded = l;
	(*out)->procedure = p;
	return 0;
}

/* Calls may go straight to the copy's gate, for procedures stay redirected for good. */
static uint64_t gate_of(void *context, uint64_t offset)
{
	struct loaded *l = context;
	if (module_range_index(l->module, offset) == SIZE_MAX) /* linkage tables, mostly; finding what owns it would take long */
		return 0;
	struct redirected *r = image_redirected(l, offset);
	return r && !r->leaving && r->procedure->entry == offset && !r->copy->detour ? r->copy->gate : 0;
}

/* A plan has taken padding: the next one must, too, for it has that in its undo record. A former supervisor's may have. */
static bool has_padding(const struct redirected *r)
{
	for (size_t i = 0; i < r->plan_count; i++)
		if (r->plans[i].range.end > r->procedure->ranges[i].end)
			return true;
	return false;
}

int image_plan_text(struct image *im, struct redirected *r, const struct copy *copy, struct text_plan **plans, size_t *plan_count,
		    struct springboard_counts *counts)
{
	struct plan_options options = {.extra = r->extra.at,
				       .extra_count = r->extra.count,
				       .only_traps = im->only_traps,
				       .paranoid = !im->redirect_all,
				       .padded = im->has_inherited || has_padding(r),
				       .no_holes = r->passing,
				       .callee = im->direct_calls && !im->only_traps ? gate_of : NULL,
				       .context = r->loaded};
	int status = springboard_plan(copy, r->loaded->zone, &options, plans, plan_count, counts);
	if (!status && r->loaded->module->is_lost) {
		text_plans_free(*plans, *plan_count);
		status = -EIO;
	}
	return status;
}

/* Who calls the old copy directly is led on to the new one. */
static void retire_copy(struct redirected *r, const struct copy *new)
{
	const struct copy_entry *entry = &new->entries[procedure_insn(r->procedure, r->procedure->entry) - r->procedure->insns];
	if (r->copy->gate)
		copy_forward(r->copy, r->loaded->zone, new->detour ? new->detour : new->code + entry->code);
	vec_push(&r->old_copies, r->copy);
}

static void stage(struct image *im, struct redirected *r, const struct attempt *made)
{
	attempt_count(im, made);
	if (r->copy && r->copy != made->copy)
		retire_copy(r, made->copy);
	for (size_t i = 0; r->generation && i < r->plan_count; i++)
		r->inherited |= r->plans[i].has_holes; /* written, so somebody may stand there */
	text_plans_free(r->plans, r->plan_count);
	r->copy = made->copy;
	r->plans = made->plans;
	r->plan_count = made->plan_count;
	r->staged = true;
	r->leaving = false;
	image_publish_landings(r);
}

/* Where a jump in dead bytes has been, it stays redirected in any case. */
static bool is_passing(struct image *im, const struct redirected *r, const struct weave *weaves, size_t count)
{
	bool passing = count && !im->redirect_all && !r->inherited;
	for (size_t i = 0; i < r->plan_count; i++)
		passing &= !r->plans[i].has_holes;
	for (size_t i = 0; i < count && passing; i++)
		passing = weaves[i].place != WEAVE_DETOUR && image_probe(im, weaves[i].probe)->work == PROBE_OBSERVE;
	return passing;
}

/* Makes a new copy with these probes and stages it. */
static int stage_copy(struct image *im, struct redirected *r, struct weave *weaves, size_t count)
{
	struct attempt made;
	r->passing = is_passing(im, r, weaves, count);
	int status = attempt_best(im, r, weaves, count, &made);
	if (!status)
		stage(im, r, &made);
	return status;
}

/* Stages the copy it has, with nothing woven but inline. Returns false if there is no room for all springboards, and less could be woven. */
static bool stage_present_copy(struct image *im, struct redirected *r)
{
	struct attempt made = {.copy = r->copy};
	if (image_plan_text(im, r, r->copy, &made.plans, &made.plan_count, &made.counts))
		return false;
	if (made.counts.traps && !im->only_traps && attempt_may_yield(r)) {
		text_plans_free(made.plans, made.plan_count);
		return false;
	}
	stage(im, r, &made);
	return true;
}

/* Of a procedure that isn't redirected yet. Takes p over. */
static int begin_procedure(struct image *im, struct loaded *l, struct procedure *p, struct redirected **out)
{
	int status = adopt_procedure(im, l, p, out);
	if (!status && im->has_inherited && l->entry)
		image_inherit_roots(im, *out);
	return status;
}

/* Nobody wishes for it: room that is short stays for procedures that something is woven into. Takes p over. */
static int begin_unneeded(struct image *im, struct loaded *l, struct procedure *p, struct redirected **out)
{
	if (!zone_is_short(l->zone))
		return begin_procedure(im, l, p, out);
	procedure_free(p);
	return -ENOSPC;
}

static int own_copy(struct loaded *l, struct redirected *r, int status)
{
	if (status) {
		uint64_t offset = r->procedure->entry;
		image_free_redirected(r);
		return refuse(l, offset, status);
	}
	image_own(l, r);
	return 0;
}

static int redirect_procedure(struct image *im, struct loaded *l, struct procedure *p, struct weave *weaves, size_t count)
{
	struct redirected *r;
	uint64_t entry = p->entry;
	bool covered = image_redirected(l, entry); /* as a part of another one: not native */
	int status = begin_procedure(im, l, p, &r);
	if (status)
		return covered ? status : refuse(l, entry, status);
	return own_copy(l, r, stage_copy(im, r, weaves, count));
}

int image_redirect(struct image *im, struct loaded *l, uint64_t offset, struct weave *weaves, size_t count)
{
	struct redirected *r = l->zone ? image_redirected(l, offset) : NULL;
	struct procedure *p;
	if (!l->zone)
		return refuse(l, offset, -ERANGE);
	if (r)
		return r->given_up ? -EBUSY : stage_copy(im, r, weaves, count);
	int status = procedure_get(l->module, offset, &p);
	if (!status && !p->lasting)
		p->lasting = l->module->learned = true;
	return status ? refuse(l, offset, status) : redirect_procedure(im, l, p, weaves, count);
}

static int order_addresses(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

typedef VEC(uint64_t) address_list;

/* Decodes what isn't redirected yet; a procedure of several parts is in the list once, where its first part is. jumps: where they jump to, outside themselves. */
static struct procedure **decode_all(struct loaded *l, uint64_t except, address_list *jumps)
{
	const struct module *m = l->module;
	struct procedure **all = calloc(m->range_count + 1, sizeof *all);
	if (!all)
		abort();
	for (size_t i = 0; i < m->range_count; i++) {
		bool excepted = except && except >= m->ranges[i].start && except < m->ranges[i].end;
		if (excepted || snapshot_has(l, i) || image_redirected(l, m->ranges[i].start))
			continue;
		int status = procedure_get(l->module, m->ranges[i].start, &all[i]);
		if (status) {
			refuse(l, m->ranges[i].start, status);
			continue;
		}
		if (all[i]->ranges[0].start < m->ranges[i].start) {
			procedure_free(all[i]);
			all[i] = NULL;
			continue;
		}
		for (size_t k = 0; k < all[i]->exit_count; k++)
			vec_push(jumps, all[i]->exits[k]);
	}
	if (jumps->count)
		qsort(jumps->at, jumps->count, sizeof *jumps->at, order_addresses);
	return all;
}

static void add_jumps(struct redirected *r, const address_list *jumps)
{
	for (size_t i = 0; i < r->procedure->range_count; i++) {
		const struct range *part = &r->procedure->ranges[i];
		size_t low = 0, high = jumps->count;
		while (low < high) {
			size_t middle = (low + high) / 2;
			if (jumps->at[middle] < part->start)
				low = middle + 1;
			else
				high = middle;
		}
		for (; low < jumps->count && jumps->at[low] < part->end; low++)
			if (!low || jumps->at[low] != jumps->at[low - 1])
				vec_push(&r->extra, jumps->at[low]);
	}
}

/* All procedures are decoded before the first is copied, and copied before the first text is planned: so every jump from one into another one's middle is
 * known to the plan, and every copy that can be called. */
static void redirect_rest(struct image *im, struct loaded *l, uint64_t except, image_progress *tell)
{
	const struct module *m = l->module;
	address_list jumps = {0};
	struct redirected *r;
	struct procedure **all = decode_all(l, except, &jumps);
	size_t first = l->redirected.count;
	for (size_t i = 0; i < m->range_count; i++) {
		if (!(i & 255))
			tell("redirecting", m->path, i, m->range_count);
		if (!all[i])
			continue;
		int status = begin_unneeded(im, l, all[i], &r);
		if (status) {
			refuse(l, m->ranges[i].start, status);
			continue;
		}
		add_jumps(r, &jumps);
		status = own_copy(l, r, image_emit_copy(im, l, r->procedure, NULL, 0, false, &r->copy));
		(void)status; /* counted */
	}
	for (size_t i = first; i < l->redirected.count; i++)
		if (!stage_present_copy(im, l->redirected.at[i])) {
			int status = stage_copy(im, l->redirected.at[i], NULL, 0);
			if (status)
				refuse(l, l->redirected.at[i]->procedure->entry, status);
		}
	vec_free(&jumps);
	free(all);
}

/* Nothing that goes into the copies is this run's alone, and nothing is in the text already. */
static bool may_have_snapshot(const struct image *im, const struct loaded *l)
{
	bool plain = im->redirect_all && !im->only_traps && !im->visits;
	for (size_t i = 0; i < l->inlined_count; i++)
		plain &= l->inlined[i]->name != NULL;
	return plain && im->snapshots >= 0 && l->fresh && !l->written.count && module_has_one_text(l->module);
}

static void claim_copies(struct loaded *l, size_t first)
{
	for (size_t i = first; i < l->redirected.count; i++) {
		const struct redirected *r = l->redirected.at[i];
		zone_claim(l->zone, r->copy->code, r->copy->code + r->copy->size);
		for (size_t k = 0; k < r->old_copies.count; k++)
			zone_claim(l->zone, r->old_copies.at[k]->code, r->old_copies.at[k]->code + r->old_copies.at[k]->size);
	}
}

static void redirect_and_keep(struct image *im, struct loaded *l, uint64_t except, image_progress *tell)
{
	size_t first_redirected = l->redirected.count, first_refusal = l->refusals.count;
	struct springboard_counts before = im->counts, made;
	struct zone_apart apart;
	im->counts = (struct springboard_counts){0};
	zone_begin_apart(l->zone, &apart);
	redirect_rest(im, l, except, tell);
	zone_end_apart(l->zone, &apart);
	claim_copies(l, first_redirected);
	made = im->counts;
	springboard_count(&im->counts, &before);
	snapshot_keep(im, l, first_redirected, first_refusal, &made);
}

void image_redirect_module(struct image *im, struct loaded *l, uint64_t except, image_progress *tell)
{
	if (!l->zone)
		return;
	if (may_have_snapshot(im, l) && !snapshot_restore(im, l))
		redirect_and_keep(im, l, except, tell);
	else
		redirect_rest(im, l, except, tell);
}

int image_landing_is_hot(struct image *im, uint64_t address)
{
	struct loaded *l = image_module_at(im, address);
	struct redirected *r = l ? image_redirected(l, address - l->bias) : NULL;
	if (!r || r->leaving || !procedure_insn(r->procedure, address - l->bias))
		return -ENOENT;
	for (size_t i = 0; i < r->extra.count; i++)
		if (r->extra.at[i] == address - l->bias)
			return -EALREADY;
	vec_push(&r->extra, address - l->bias);
	image_rewish(im, l, r->procedure->entry);
	return 0;
}

void image_leave(struct redirected *r)
{
	if (r->copy->gate) /* until the text is written, its springboard leads back here, round and round */
		copy_forward(r->copy, r->loaded->zone, r->procedure->entry + r->loaded->bias);
	r->staged = r->leaving = true;
}

void image_restore(struct image *im, struct redirected *r)
{
	for (size_t i = 0; i < r->plan_count; i++)
		if (r->plans[i].has_holes || r->inherited) {
			/* A thread may stand on a hole's jump, in the middle of an original instruction: stay redirected, with nothing woven. */
			int status = image_redirect(im, r->loaded, r->procedure->entry, NULL, 0);
			(void)status;
			return;
		}
	image_leave(r);
}

/* The instruction at an offset that no known flow leads to is still there, and what it raised is its own. */
static bool is_untouched(const struct redirected *r, const struct insn *i)
{
	for (size_t k = 0; k < r->plan_count; k++) {
		const struct text_plan *p = &r->plans[k];
		uint64_t at = i->address - p->range.start;
		if (i->address >= p->range.start && insn_end(i) <= p->range.end)
			return !memcmp(p->bytes + at, p->original + at, i->length);
	}
	return false;
}

/* `int $3`, cd 03, left in place: its trap looks like that of an int3 where its 03 stands. */
static bool is_long_int3(const struct redirected *r, uint64_t offset)
{
	static const uint8_t long_int3[] = {0xcd, 3};
	for (size_t k = 0; k < r->plan_count; k++) {
		const struct text_plan *p = &r->plans[k];
		if (offset > p->range.start && offset < p->range.end)
			return !memcmp(p->bytes + (offset - 1 - p->range.start), long_int3, sizeof long_int3);
	}
	return false;
}

uint64_t image_landing(struct image *im, uint64_t address)
{
	struct loaded *l = image_module_at(im, address);
	struct redirected *r = l ? image_redirected(l, address - l->bias) : NULL;
	uint64_t end;
	if (l && !r && image_padded(l, address - l->bias, &end))
		return end + l->bias;
	if (!r || r->leaving || procedure_insn(r->procedure, address - l->bias) || is_long_int3(r, address - l->bias))
		return 0;
	/* Code that no known flow leads to: a copy of what is reached from here. Its own jumps stay in it; the rest of the procedure keeps its copy. */
	struct procedure *p;
	struct copy *c;
	if (procedure_decode(l->module, address - l->bias, &p))
		return 0;
	const struct insn *i = procedure_insn(p, address - l->bias);
	if (!i || is_untouched(r, i) || image_emit_copy(im, l, p, NULL, 0, false, &c)) {
		procedure_free(p);
		return 0;
	}
	const struct copy_entry *e = &c->entries[i - p->insns];
	uint64_t to = c->code + e->code;
	if (!e->in_place)
		publish_landing(l, address - l->bias, to - l->zone->start + 1, false);
	vec_push(&r->old_copies, c);
	return to;
}

static const struct copy *copy_around(struct image *im, uint64_t code_address)
{
	uint64_t offset;
	for (size_t m = 0; m < im->modules.count; m++) {
		struct loaded *l = im->modules.at[m];
		if (!l->zone || !zone_holds(l->zone, code_address))
			continue;
		snapshot_recall_copy(l, code_address);
		for (size_t i = 0; i < l->redirected.count; i++) {
			struct redirected *r = l->redirected.at[i];
			if (copy_original(r->copy, code_address, &offset))
				return r->copy;
			for (size_t k = 0; k < r->old_copies.count; k++)
				if (copy_original(r->old_copies.at[k], code_address, &offset))
					return r->old_copies.at[k];
		}
	}
	return NULL;
}

uint64_t image_original(struct image *im, uint64_t code_address)
{
	uint64_t offset;
	const struct copy *c = copy_around(im, code_address);
	if (c && copy_original(c, code_address, &offset))
		return offset + c->bias;
	return image_former_original(im, code_address);
}

bool image_begins_insn(struct image *im, uint64_t code_address)
{
	const struct copy *c = copy_around(im, code_address);
	const struct copy_entry *e = c ? copy_entry_at(c, code_address) : NULL;
	return e && !e->in_place && c->code + e->moved == code_address;
}

uint64_t image_copy_of(const struct redirected *r, uint64_t offset)
{
	const struct insn *i = procedure_insn(r->procedure, offset);
	if (!i || r->leaving)
		return 0;
	const struct copy_entry *e = &r->copy->entries[i - r->procedure->insns];
	return e->in_place ? 0 : r->copy->code + e->moved;
}

static int order_actions(const void *a, const void *b)
{
	const struct guest_fault_action *x = a, *y = b;
	return x->address < y->address ? -1 : x->address > y->address;
}

void image_fault_actions(struct image *im, struct guest_fault_action *actions, size_t count)
{
	uint32_t other = !(im->tables->fault_current & 1);
	if (count > FAULT_ACTIONS_MAX)
		count = FAULT_ACTIONS_MAX;
	qsort(actions, count, sizeof *actions, order_actions);
	memcpy(im->tables->fault[other], actions, count * sizeof *actions);
	im->tables->fault_count[other] = count;
	__atomic_store_n(&im->tables->fault_current, other, __ATOMIC_RELEASE);
}
