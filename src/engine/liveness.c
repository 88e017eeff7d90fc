#include "engine/liveness.h"

#include <stdlib.h>

static const struct live everything = {0xffff, FLAG_BITS};

struct effects *liveness_effects(const struct procedure *p)
{
	struct effects *all = calloc(p->insn_count + 1, sizeof *all);
	if (!all)
		abort();
	for (size_t i = 0; i < p->insn_count; i++)
		if (effects_decode(procedure_bytes(p, &p->insns[i]), p->insns[i].length, &all[i]))
			all[i] = (struct effects){.reads = 0xffff, .writes = 0xffff, .flags_read = FLAG_BITS, .write = WRITE_OPAQUE};
	return all;
}

static bool is_entry(const struct module *m, uint64_t offset)
{
	struct range range;
	return module_range(m, offset, &range) && range.start == offset;
}

/* Successors that the block's last instruction has within the procedure, if all its flow is known. */
static unsigned inner_successors(const struct procedure *p, const struct insn *last)
{
	bool goes_on = insn_falls_through(last), jumps = last->flow == FLOW_BRANCH || last->flow == FLOW_JUMP || last->flow == FLOW_XBEGIN;
	return (goes_on && procedure_insn(p, insn_end(last))) + (jumps && procedure_insn(p, last->target));
}

static bool leaves(const struct procedure *p, const struct insn *last)
{
	bool goes_on = insn_falls_through(last), jumps = last->flow == FLOW_BRANCH || last->flow == FLOW_JUMP || last->flow == FLOW_XBEGIN;
	return (goes_on && !procedure_insn(p, insn_end(last))) || (jumps && !procedure_insn(p, last->target));
}

/* What other code than the procedure's known own may read behind the block. */
static struct live beyond(const struct procedure *p, const struct block *b)
{
	const struct insn *last = &p->insns[b->first + b->count - 1];
	if (last->flow == FLOW_RETURN)
		return (struct live){0xffff, 0};
	if (last->flow == FLOW_JUMP && leaves(p, last) && is_entry(p->module, last->target))
		return (struct live){0xffff, 0};
	bool is_known = last->flow != FLOW_JUMP_INDIRECT && last->flow != FLOW_STOP && !leaves(p, last) && b->successor_count >= inner_successors(p, last);
	return is_known ? (struct live){0} : everything;
}

static struct live before(const struct insn *i, const struct effects *e, struct live after)
{
	if (insn_is_call(i))
		return (struct live){0xffff, 0};
	if (i->flow == FLOW_SYSCALL)
		return (struct live){0xffff, after.flags};
	if (i->flow == FLOW_XBEGIN)
		return everything;
	return (struct live){(after.registers & ~e->kills) | e->reads, (after.flags & ~e->flags_killed) | e->flags_read};
}

static struct live at_end(const struct procedure *p, const struct block *b, const struct live *live)
{
	struct live out = beyond(p, b);
	for (unsigned s = 0; s < b->successor_count; s++) {
		struct live next = live[p->blocks[b->successor[s]].first];
		out.registers |= next.registers;
		out.flags |= next.flags;
	}
	return out;
}

/* Backward through the block; true if what is live at its start has grown. */
static bool pass(const struct procedure *p, const struct block *b, const struct effects *effects, struct live *live)
{
	struct live now = at_end(p, b, live), first = live[b->first];
	for (uint32_t n = b->count; n-- > 0;)
		live[b->first + n] = now = before(&p->insns[b->first + n], &effects[b->first + n], now);
	return now.registers != first.registers || now.flags != first.flags;
}

struct live *liveness_of(const struct procedure *p, const struct effects *effects)
{
	struct live *live = calloc(p->insn_count + 1, sizeof *live);
	if (!live)
		abort();
	for (bool changed = true; changed;) {
		changed = false;
		for (size_t b = p->block_count; b-- > 0;)
			changed |= pass(p, &p->blocks[b], effects, live);
	}
	return live;
}
