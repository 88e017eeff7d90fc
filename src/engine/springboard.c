#include "engine/springboard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

enum { INT3 = 0xcc, JMP = 0xe9, JMP_SHORT = 0xeb, JUMP_SIZE = 5, SHORT_SIZE = 2 };

enum { PADDING_MAX = 64 };

/* What a text byte is used for. */
enum use { UNREACHED, DEAD, KEPT, TAKEN };

struct planner {
	const struct copy *copy;
	struct zone *zone;
	struct text_plan *plan; /* the range at work */
	uint8_t *use, *root;    /* a byte each, by offset in the range */
	size_t size;            /* of the range; later, of the padding behind it, too */
	struct springboard_counts *counts;
	const struct plan_options *options;
};

static uint64_t guest_address(const struct planner *s, size_t at)
{
	return s->plan->range.start + at + s->copy->bias;
}

/* Where control that comes in at the offset goes on. */
static uint64_t destination(const struct planner *s, size_t at)
{
	const struct procedure *p = s->copy->procedure;
	const struct insn *i = procedure_insn(p, s->plan->range.start + at);
	if (s->copy->detour && i->address == p->entry)
		return s->copy->detour;
	return s->copy->code + s->copy->entries[i - p->insns].code;
}

static bool dead_run(const struct planner *s, size_t at, size_t count)
{
	if (at + count > s->size)
		return false;
	for (size_t i = 0; i < count; i++)
		if (s->use[at + i] != DEAD || (i && s->root[at + i]))
			return false;
	return true;
}

/* Bit k: displacement byte k, at text byte at + 1 + k, must trap. */
static unsigned trapping_mask(const struct planner *s, size_t at)
{
	unsigned mask = 0;
	for (unsigned k = 0; k < 4; k++)
		if (s->plan->boundary[at + 1 + k])
			mask |= 1u << k;
	return mask;
}

static bool displacement_traps(uint32_t distance, unsigned mask)
{
	for (unsigned k = 0; k < 4; k++)
		if (mask & 1u << k && !is_trap_byte(distance >> 8 * k))
			return false;
	return true;
}

/* A jump from the five bytes at `at` needs no hop. */
static bool is_direct(const struct planner *s, size_t at, uint64_t to)
{
	uint32_t distance = to - (guest_address(s, at) + JUMP_SIZE);
	return !s->options->paranoid && displacement_traps(distance, trapping_mask(s, at));
}

/* jmp to the destination in the five bytes at `at`, through a hop if that makes the bytes safe. */
static bool put_jump(struct planner *s, size_t at, uint64_t to)
{
	uint64_t from = guest_address(s, at) + JUMP_SIZE;
	unsigned mask = trapping_mask(s, at);
	uint32_t distance = to - from;
	if (!is_direct(s, at, to)) {
		uint64_t hop = zone_hop(s->zone, from, s->options->paranoid ? 15 : mask, to);
		if (!hop && s->options->paranoid)
			hop = zone_hop(s->zone, from, mask, to);
		if (!hop)
			return false;
		distance = hop - from;
		s->counts->hops++;
	}
	s->plan->bytes[at] = JMP;
	s->plan->landable[at] = 1;
	memcpy(s->plan->bytes + at + 1, &distance, 4);
	memset(s->use + at, TAKEN, JUMP_SIZE);
	return true;
}

static bool long_form(struct planner *s, size_t at)
{
	if (!dead_run(s, at, JUMP_SIZE) || !put_jump(s, at, destination(s, at)))
		return false;
	s->counts->jumps++;
	return true;
}

static void keep_native(struct planner *s, const struct insn *i)
{
	size_t at = i->address - s->plan->range.start;
	memset(s->use + at, KEPT, i->length);
	s->plan->landable[at] = 1;
	memcpy(s->plan->bytes + at, s->plan->original + at, i->length);
}

/* popf may make the program step itself: behind it there must be no instruction that isn't the program's. */
static bool sets_trap_flag(const struct planner *s, const struct insn *i)
{
	enum { POPF = 0x9d };
	return s->plan->original[insn_end(i) - 1 - s->plan->range.start] == POPF;
}

/* A few instructions stay native, and behind them a jump needs no hop. */
static bool prefixed_form(struct planner *s, size_t at)
{
	enum { PREFIX_MAX = 3 };
	const struct procedure *p = s->copy->procedure;
	const struct insn *first = procedure_insn(p, s->plan->range.start + at);
	for (unsigned n = 0; n <= PREFIX_MAX; n++) {
		const struct insn *i = first + n;
		size_t k = i - p->insns, here = i->address - s->plan->range.start;
		if (k >= p->insn_count || (n && i->address != insn_end(i - 1)) || !dead_run(s, here, JUMP_SIZE))
			return false;
		if (is_direct(s, here, destination(s, here))) {
			for (unsigned m = 0; m < n; m++)
				keep_native(s, first + m);
			s->counts->prefixes += n != 0;
			return long_form(s, here);
		}
		if (i->flow != FLOW_NEXT || sets_trap_flag(s, i) || s->copy->entries[k].woven || s->copy->entries[k].overlapped ||
		    (s->copy->detour && i->address == p->entry))
			return false;
	}
	return false;
}

/* jmp rel8 to a hole of five dead bytes nearby; the hole's first byte must not be a place where an instruction started. */
static bool short_form(struct planner *s, size_t at)
{
	if (!dead_run(s, at, SHORT_SIZE))
		return false;
	for (int distance = -128; distance < 128; distance++) {
		int64_t hole = (int64_t)at + SHORT_SIZE + distance;
		bool overlaps = hole < (int64_t)at + SHORT_SIZE && hole + JUMP_SIZE > (int64_t)at;
		if (hole < 0 || overlaps || (s->plan->boundary[at + 1] && !is_trap_byte(distance)) || (hole && s->root[hole - 1] && s->use[hole - 1] == DEAD))
			continue;
		if (!dead_run(s, hole, JUMP_SIZE) || s->plan->boundary[hole] || s->root[hole] || !put_jump(s, hole, destination(s, at)))
			continue;
		s->plan->bytes[at] = JMP_SHORT;
		s->plan->bytes[at + 1] = distance;
		memset(s->use + at, TAKEN, SHORT_SIZE);
		s->plan->hole_of[hole] = destination(s, at) - s->copy->code + 1;
		s->plan->has_holes = true;
		s->counts->short_jumps++;
		return true;
	}
	return false;
}

static void place_jump(struct planner *s, size_t at)
{
	s->plan->landable[at] = 1;
	if (s->use[at] == DEAD && !s->options->only_traps && (s->options->paranoid || !prefixed_form(s, at)))
		long_form(s, at);
}

/* The last instruction of the range ends where the range does, and control doesn't go on behind it. */
static bool ends_there(const struct planner *s)
{
	const struct procedure *p = s->copy->procedure;
	for (size_t k = p->insn_count; k-- > 0 && p->insns[k].address >= s->plan->range.start;)
		if (insn_end(&p->insns[k]) == s->plan->range.end)
			return !insn_falls_through(&p->insns[k]);
	return false;
}

/* Where the next range starts, if there is nothing but filler up to there; else the range's end. Nothing where procedures come and go, for those with holes stay. */
static uint64_t padding_end(const struct planner *s)
{
	const struct module *m = s->copy->procedure->module;
	uint64_t end = s->plan->range.end, at = end;
	size_t range = module_range_index(m, s->plan->range.start), root = module_root_after(m, end);
	if (s->options->paranoid || range == SIZE_MAX || m->ranges[range].end != end || range + 1 >= m->range_count || !ends_there(s))
		return end;
	uint64_t next = m->ranges[range + 1].start;
	if (next - end > PADDING_MAX || (root < m->root_count && m->roots[root] < next))
		return end;
	while (at < next) {
		struct insn i;
		size_t available;
		const uint8_t *bytes = module_bytes(m, at, &available);
		if (!bytes || available < next - at || insn_decode(bytes, next - at, at, &i) || !insn_is_filler(&i, bytes))
			return end;
		at = insn_end(&i);
	}
	return next;
}

/* The padding behind the range becomes room for holes: dead, as if it were the procedure's. */
static bool take_padding(struct planner *s)
{
	uint64_t end = padding_end(s), at = s->plan->range.end;
	struct insn i;
	size_t available;
	if (at == end)
		return false;
	memset(s->use + s->size, DEAD, end - at);
	memset(s->plan->bytes + s->size, INT3, end - at);
	memcpy(s->plan->original + s->size, module_bytes(s->copy->procedure->module, at, &available), end - at);
	for (; at < end && !insn_decode(s->plan->original + s->size, end - at, at, &i); at += i.length, s->size += i.length)
		s->plan->boundary[s->size] = 1;
	s->plan->range.end = end;
	return true;
}

/* When all that have room for a jump of their own have it: a hole must not take that room. */
static void place_rest(struct planner *s, size_t at)
{
	if (s->use[at] == DEAD && (s->options->only_traps || s->options->no_holes || !(short_form(s, at) || (take_padding(s) && short_form(s, at)))))
		s->counts->traps++; /* int3: the landing map has the rest */
}

static void place_all(struct planner *s, void (*place)(struct planner *s, size_t at))
{
	for (size_t at = 0; at < s->size; at++)
		if (s->root[at])
			place(s, at);
}

static void mark_insns(struct planner *s)
{
	const struct procedure *p = s->copy->procedure;
	for (size_t k = 0; k < p->insn_count; k++) {
		const struct insn *i = &p->insns[k];
		if (i->address < s->plan->range.start || insn_end(i) > s->plan->range.end)
			continue;
		size_t at = i->address - s->plan->range.start;
		bool kept = s->copy->entries[k].in_place;
		s->plan->boundary[at] = !kept;
		s->plan->landable[at] = kept;
		for (size_t b = 0; b < i->length; b++) /* a call that stays wins over code that overlaps it */
			if (kept || s->use[at + b] != KEPT)
				s->use[at + b] = kept ? KEPT : DEAD;
	}
	for (size_t at = 0; at < s->size; at++) {
		s->plan->bytes[at] = s->use[at] == DEAD ? INT3 : s->plan->original[at];
		if (s->use[at] != DEAD)
			s->plan->boundary[at] = 0;
	}
}

/* e8 rel32, perhaps behind prefixes. The displacement isn't written while a thread may fetch it: a commit traps there first. */
static void lead_call(struct planner *s, const struct insn *i)
{
	enum { DISPLACEMENT = 4, CALL = 0xe8 };
	uint64_t to = s->options->callee(s->options->context, i->target);
	size_t end = insn_end(i) - s->plan->range.start;
	int32_t distance = to - guest_address(s, end);
	if (i->length <= DISPLACEMENT || s->plan->original[end - DISPLACEMENT - 1] != CALL)
		return;
	s->plan->boundary[i->address - s->plan->range.start] = 1;
	if (!to)
		return;
	memcpy(s->plan->bytes + end - DISPLACEMENT, &distance, DISPLACEMENT);
	s->counts->calls++;
}

static void lead_calls(struct planner *s)
{
	const struct procedure *p = s->copy->procedure;
	for (size_t k = 0; k < p->insn_count && s->options->callee; k++) {
		const struct insn *i = &p->insns[k];
		if (i->flow == FLOW_CALL && s->copy->entries[k].in_place && i->address >= s->plan->range.start && insn_end(i) <= s->plan->range.end)
			lead_call(s, i);
	}
}

static void mark_root(struct planner *s, uint64_t offset)
{
	if (offset >= s->plan->range.start && offset < s->plan->range.end && procedure_insn(s->copy->procedure, offset))
		s->root[offset - s->plan->range.start] = 1;
}

static void mark_roots(struct planner *s, const uint64_t *extra, size_t extra_count)
{
	const struct procedure *p = s->copy->procedure;
	mark_root(s, p->entry);
	for (size_t r = 0; r < p->range_count; r++)
		mark_root(s, p->ranges[r].start);
	for (size_t k = 0; k < p->insn_count; k++)
		if (insn_is_call(&p->insns[k]))
			mark_root(s, insn_end(&p->insns[k]));
	for (size_t i = 0; i < p->landing_count; i++)
		mark_root(s, p->insns[p->blocks[p->landings[i]].first].address);
	for (size_t i = 0; i < extra_count; i++)
		mark_root(s, extra[i]);
}

/* A run in place: from a root with too little room for a springboard to where control leaves it for a call that stays, returns or jumps. Its bytes stay
 * as they are; where its branches go, springboards are needed. Free of cost, but only for instructions that nothing is woven at. */
enum { RUN_MAX = 12 };

static size_t run_length(const struct planner *s, size_t at)
{
	const struct procedure *p = s->copy->procedure;
	const struct insn *first = procedure_insn(p, s->plan->range.start + at);
	for (size_t n = 0; n < RUN_MAX; n++) {
		const struct insn *i = first + n;
		size_t k = i - p->insns;
		if (k >= p->insn_count || (n && i->address != insn_end(i - 1)) || insn_end(i) > s->plan->range.end)
			return 0;
		if (s->use[i->address - s->plan->range.start] == KEPT)
			return n;
		if (s->copy->entries[k].woven || s->copy->entries[k].overlapped)
			return 0;
		if (!insn_falls_through(i))
			return n + 1;
	}
	return 0;
}

static void add_root(struct planner *all, size_t count, uint64_t offset)
{
	for (size_t r = 0; r < count; r++)
		mark_root(&all[r], offset);
}

static bool keep_run(struct planner *s, size_t at, struct planner *all, size_t count)
{
	const struct insn *first = procedure_insn(s->copy->procedure, s->plan->range.start + at);
	size_t n = run_length(s, at);
	for (size_t k = 0; k < n; k++) {
		const struct insn *i = first + k;
		keep_native(s, i);
		if (i->flow == FLOW_BRANCH || i->flow == FLOW_JUMP)
			add_root(all, count, i->target);
	}
	s->counts->in_place += n != 0;
	return n != 0;
}

static void keep_tight_runs(struct planner *all, size_t count)
{
	for (bool changed = true; changed;) {
		changed = false;
		for (size_t r = 0; r < count; r++)
			for (size_t at = 0; at < all[r].size; at++)
				if (all[r].root[at] && all[r].use[at] == DEAD && !dead_run(&all[r], at, JUMP_SIZE))
					changed |= keep_run(&all[r], at, all, count);
	}
}

static int set_up(struct planner *s)
{
	size_t available, whole;
	const uint8_t *bytes = module_bytes(s->copy->procedure->module, s->plan->range.start, &available);
	s->size = s->plan->range.end - s->plan->range.start;
	whole = s->size + PADDING_MAX;
	if (!bytes || available < s->size)
		return -EFAULT;
	s->use = calloc(whole, 2);
	s->plan->original = malloc(whole);
	s->plan->bytes = malloc(whole);
	s->plan->boundary = calloc(whole, 1);
	s->plan->landable = calloc(whole, 1);
	s->plan->hole_of = calloc(whole, sizeof *s->plan->hole_of);
	if (!s->use || !s->plan->original || !s->plan->bytes || !s->plan->boundary || !s->plan->landable || !s->plan->hole_of)
		abort();
	s->root = s->use + whole;
	memcpy(s->plan->original, bytes, s->size);
	mark_insns(s);
	lead_calls(s);
	mark_roots(s, s->options->extra, s->options->extra_count);
	if (s->options->padded)
		take_padding(s);
	return 0;
}

int springboard_plan(const struct copy *c, struct zone *z, const struct plan_options *options, struct text_plan **plans, size_t *plan_count,
		     struct springboard_counts *counts)
{
	const struct procedure *p = c->procedure;
	struct text_plan *made = calloc(p->range_count, sizeof *made);
	if (!made)
		abort();
	struct planner *planners = calloc(p->range_count, sizeof *planners);
	if (!planners)
		abort();
	int status = 0;
	for (size_t r = 0; r < p->range_count && !status; r++) {
		made[r].range = p->ranges[r];
		planners[r] = (struct planner){.copy = c, .zone = z, .plan = &made[r], .counts = counts, .options = options};
		status = set_up(&planners[r]);
	}
	if (!status && !options->only_traps)
		keep_tight_runs(planners, p->range_count);
	for (size_t r = 0; r < p->range_count; r++) {
		if (!status) {
			place_all(&planners[r], place_jump);
			place_all(&planners[r], place_rest);
		}
		free(planners[r].use);
	}
	free(planners);
	if (status) {
		text_plans_free(made, p->range_count);
		return status;
	}
	*plans = made;
	*plan_count = p->range_count;
	return 0;
}

void springboard_count(struct springboard_counts *sum, const struct springboard_counts *more)
{
	sum->jumps += more->jumps;
	sum->hops += more->hops;
	sum->short_jumps += more->short_jumps;
	sum->traps += more->traps;
	sum->in_place += more->in_place;
	sum->prefixes += more->prefixes;
	sum->calls += more->calls;
	sum->spared += more->spared;
}

void text_plans_free(struct text_plan *plans, size_t count)
{
	for (size_t i = 0; plans && i < count; i++) {
		free(plans[i].original);
		free(plans[i].bytes);
		free(plans[i].boundary);
		free(plans[i].landable);
		free(plans[i].hole_of);
	}
	free(plans);
}
