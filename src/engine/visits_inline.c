#include "engine/visits_inline.h"

#include <stdlib.h>

#include "engine/cfi.h"

enum { ROOM = 40 };

/* What must be dead, the best last. */
enum way { WAY_NONE, WAY_REGISTERS /* one, or two where the count is far */, WAY_FLAGS_AND_REGISTER, WAY_FLAGS };

struct visits_inline {
	struct inline_weaver weaver;
	uint8_t *way;   /* by instruction: enum way of what is before it */
	uint64_t tally;
	bool is_far;    /* no displacement reaches it */
};

static uint16_t dead_registers(const struct live *l)
{
	return ~(l->registers | 1u << REG_RSP);
}

static uint8_t first_of(uint16_t registers)
{
	return __builtin_ctz(registers);
}

static uint8_t second_of(uint16_t registers)
{
	return first_of(registers & (registers - 1));
}

static enum way way_at(const struct visits_inline *v, const struct live *l)
{
	uint16_t dead = dead_registers(l);
	bool one = dead, two = dead & (dead - 1);
	if (!l->flags && (!v->is_far || one))
		return v->is_far ? WAY_FLAGS_AND_REGISTER : WAY_FLAGS;
	return two || (one && !v->is_far) ? WAY_REGISTERS : WAY_NONE;
}

static size_t best_in_block(const struct visits_inline *v, const struct block *b, const struct live *live)
{
	size_t best = b->first;
	for (size_t k = b->first; k < b->first + b->count; k++)
		if (way_at(v, &live[k]) > way_at(v, &live[best]))
			best = k;
	return best;
}

static void choose(struct visits_inline *v, const struct procedure *p, const bool *visited, bool by_block)
{
	struct effects *effects = liveness_effects(p);
	struct live *live = liveness_of(p, effects);
	for (size_t b = 0; b < p->block_count && by_block; b++) {
		const struct block *block = &p->blocks[b];
		size_t best = best_in_block(v, block, live);
		if (visited[block->first])
			v->way[best] = way_at(v, &live[best]);
	}
	for (size_t k = 0; k < p->insn_count && !by_block; k++)
		if (visited[k])
			v->way[k] = way_at(v, &live[k]);
	free(live);
	free(effects);
}

static void plan(const struct inline_weaver *w, const struct inline_code *c, uint8_t *marks, uint8_t mark)
{
	const struct visits_inline *v = w->context;
	for (size_t k = 0; k < c->procedure->insn_count; k++)
		if (v->way[k] != WAY_NONE)
			marks[k] |= mark;
}

enum { LOAD = 0x8b, STORE = 0x89, INCREMENT = 0xff };

/* mov tally, %reg or the other way round, or incq tally: rip-relative, or through the register `at`. */
static void emit_tally(struct emitter *e, const struct visits_inline *v, uint8_t opcode, uint8_t reg, uint8_t at)
{
	uint8_t high = (reg & 8) >> 1 | (v->is_far ? (at & 8) >> 3 : 0);
	uint8_t place = !v->is_far ? 5 : 0x40 | (at & 7); /* rip + 32 bits, register + 8 bits */
	if (opcode == INCREMENT)
		emit_u8(e, 0xf0); /* lock */
	emit_bytes(e, (uint8_t[]){0x48 | high, opcode, place | (reg & 7) << 3}, 3);
	if (!v->is_far)
		emit_displacement(e, v->tally);
	else if ((at & 7) == REG_RSP)
		emit_bytes(e, (uint8_t[]){0x24, 0}, 2);
	else
		emit_u8(e, 0);
}

/* Without a flag it can't be atomic: threads may lose counts. */
static void emit_count(const struct inline_weaver *w, struct inline_code *c)
{
	const struct visits_inline *v = w->context;
	uint16_t dead = dead_registers(&c->live[c->insn]);
	uint8_t at = v->is_far ? first_of(dead) : 0;
	if (v->is_far)
		emit_set(c->e, at, v->tally);
	if (v->way[c->insn] != WAY_REGISTERS) {
		emit_tally(c->e, v, INCREMENT, 0, at);
		return;
	}
	uint8_t reg = v->is_far ? second_of(dead) : first_of(dead);
	emit_tally(c->e, v, LOAD, reg, at);
	emit_lea(c->e, reg, reg, 1);
	emit_tally(c->e, v, STORE, reg, at);
}

struct visits_inline *visits_inline_new(const struct procedure *p, const bool *visited, bool by_block, uint64_t tally, bool is_far)
{
	struct visits_inline *v = calloc(1, sizeof *v);
	if (!v || !(v->way = calloc(p->insn_count + 1, 1)))
		abort();
	v->tally = tally;
	v->is_far = is_far;
	v->weaver = (struct inline_weaver){.room = ROOM, .context = v, .plan = plan, .hot = emit_count};
	choose(v, p, visited, by_block);
	return v;
}

void visits_inline_free(struct visits_inline *v)
{
	if (v)
		free(v->way);
	free(v);
}

const struct inline_weaver *visits_inline_weaver(const struct visits_inline *v)
{
	return &v->weaver;
}

/* Code of other languages in the same program has unwind tables; and red zones, which are room. */
bool visits_inline_needed(const struct procedure *p)
{
	struct cfi_rule rule;
	return p->module->has_go && cfi_rule(p->module, p->entry, &rule);
}
