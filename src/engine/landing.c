/* Landings: what the map says, what is found out when it says nothing, and which original instruction a place in a copy stands for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/image_private.h"
#include "engine/snapshot.h"

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
