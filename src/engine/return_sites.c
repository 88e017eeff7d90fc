#include "engine/return_sites.h"

static bool sets_stack(const struct effects *e)
{
	return e->writes & 1u << REG_RSP;
}

static bool is_pop(const struct procedure *p, const struct insn *i)
{
	const uint8_t *bytes = procedure_bytes(p, i);
	return (bytes[0] & 0xf8) == 0x58 || (bytes[0] == 0x41 && (bytes[1] & 0xf8) == 0x58);
}

/* vfork and its like take their return address off the stack and put it back. */
static bool pops_return_address(const struct procedure *p, const struct effects *effects)
{
	const struct block *b = &p->blocks[p->entry_block];
	for (uint32_t n = 0; n < b->count; n++) {
		const struct insn *i = &p->insns[b->first + n];
		if (sets_stack(&effects[b->first + n]) || insn_is_call(i))
			return !insn_is_call(i) && is_pop(p, i);
	}
	return false;
}

/* Only constant distances from the stack pointer, and named variables. */
static bool may_reach_stack(const struct effects *e)
{
	if (e->write == WRITE_NONE)
		return false;
	return e->write != WRITE_PLAIN || e->index != REG_NONE || (e->base != REG_NONE && e->base != REG_RSP);
}

static bool has_known_bounds(const struct procedure *p)
{
	struct range range;
	return module_range(p->module, p->entry, &range) && range.start == p->entry;
}

bool returns_need_watch(const struct procedure *p, const struct effects *effects)
{
	bool watch = p->exit_count;
	if (!p->block_count || !has_known_bounds(p) || pops_return_address(p, effects))
		return false;
	for (size_t i = 0; i < p->insn_count && !watch; i++)
		watch = insn_is_call(&p->insns[i]) || p->insns[i].flow == FLOW_JUMP_INDIRECT || may_reach_stack(&effects[i]);
	return watch;
}

bool returns_elsewhere(const struct procedure *p)
{
	struct range range;
	for (size_t i = 0; i < p->exit_count; i++)
		if (!module_range(p->module, p->exits[i], &range) || range.start != p->exits[i])
			return true;
	return false;
}

/* Sets the stack pointer by itself or the frame's pointer (leave, lea -40(%rbp), and r10: gcc's way to the frame of a realigned stack), not to another stack. */
static bool stays_on_stack(const struct effects *e)
{
	return !(e->reads & ~(1u << REG_RSP | 1u << REG_RBP | 1u << REG_R10)) && e->reads;
}

static size_t block_start(const struct procedure *p, size_t insn)
{
	size_t low = 0, high = p->block_count;
	while (high - low > 1) {
		size_t middle = (low + high) / 2;
		if (p->blocks[middle].first <= insn)
			low = middle;
		else
			high = middle;
	}
	return p->blocks[low].first;
}

/* Backward through the block: pops are matched with pushes; one that nothing has popped put the word there that the return goes to. */
bool return_is_plain(const struct procedure *p, const struct effects *effects, size_t insn)
{
	size_t first = block_start(p, insn), popped = 0;
	bool matches = true; /* the stack pointer has moved by pops only */
	for (size_t i = insn; i-- > first;) {
		const struct effects *e = &effects[i];
		if (insn_is_call(&p->insns[i]))
			return true;
		if (matches && !popped && e->write && e->base == REG_RSP && e->index == REG_NONE && !e->displacement)
			return false;
		if (!sets_stack(e))
			continue;
		if (!stays_on_stack(e) && !e->writes_stack)
			return false;
		if (e->writes_stack && matches && !popped--)
			return false;
		if (!e->writes_stack && is_pop(p, &p->insns[i]))
			popped++;
		else if (!e->writes_stack)
			matches = false;
	}
	return true;
}
