/* The way out of a procedure that has no call frame information: a search over its instructions for a ret, executing only what moves the
 * stack pointer and restores registers. Compilers keep both the same on every path, so any path to a valid return address tells. */
#include "monitor/stack_private.h"

enum {
	PATHS_MAX = 256,
	STEPS_MAX = 20000,
	SEEN_SIZE = 1 << 14, /* a power of two */
};

#define CALLEE_SAVED (1u << REG_RBX | 1u << REG_RBP | 1u << REG_R12 | 1u << REG_R13 | 1u << REG_R14 | 1u << REG_R15)

struct path {
	uint64_t offset;
	uint32_t known; /* registers whose value is the true one */
	uint64_t value[REG_COUNT];
};

struct search {
	const struct stack_view *view;
	struct module *module;
	uint64_t bias, slot, lowest;
	struct path paths[PATHS_MAX];
	unsigned count;
	uint32_t seen[SEEN_SIZE]; /* offsets, hashed; a collision ends a path too early, no more */
};

static bool first_visit(struct search *s, uint64_t offset)
{
	uint32_t *entry = &s->seen[(offset * 0x9e3779b97f4a7c15u) >> 50];
	bool first = *entry != (uint32_t)offset;
	*entry = offset;
	return first;
}

static bool holds(const struct path *p, uint8_t reg)
{
	return reg != REG_NONE && p->known >> reg & 1;
}

static void set(struct path *p, uint8_t reg, bool known, uint64_t value)
{
	if (reg == REG_NONE)
		return;
	p->known = (p->known & ~(1u << reg)) | (uint32_t)known << reg;
	p->value[reg] = value;
}

static bool load(struct search *s, uint64_t address, uint64_t *value)
{
	return stack_word(s->view, address, value);
}

/* base + displacement, base known */
static bool simple_address(const struct path *p, const ZydisDecodedOperand *o, uint64_t *address)
{
	uint8_t base = stack_insn_register(o->mem.base);
	if (o->type != ZYDIS_OPERAND_TYPE_MEMORY || o->mem.index != ZYDIS_REGISTER_NONE || !holds(p, base))
		return false;
	*address = p->value[base] + (o->mem.disp.has_displacement ? o->mem.disp.value : 0);
	return true;
}

static void clobber(struct path *p, const struct stack_insn *i)
{
	for (unsigned n = 0; n < i->insn.operand_count; n++)
		if (i->operand[n].type == ZYDIS_OPERAND_TYPE_REGISTER && i->operand[n].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
			set(p, stack_insn_register(i->operand[n].reg.value), false, 0);
}

static void pop(struct search *s, struct path *p, const struct stack_insn *i)
{
	uint64_t word = 0, at = p->value[REG_RSP];
	bool known = load(s, at, &word);
	clobber(p, i);
	set(p, REG_RSP, true, at + 8);
	if (i->operand[0].type == ZYDIS_OPERAND_TYPE_REGISTER)
		set(p, stack_insn_register(i->operand[0].reg.value), known, word);
}

static void leave(struct search *s, struct path *p)
{
	uint64_t word = 0, at = p->value[REG_RBP];
	bool known = holds(p, REG_RBP);
	set(p, REG_RSP, known, at + 8);
	set(p, REG_RBP, known && load(s, at, &word), word);
}

/* add, sub, and with a constant; lea; mov between registers and from the stack: all 64 bits wide. */
static void compute(struct search *s, struct path *p, const struct stack_insn *i)
{
	const ZydisDecodedOperand *to = &i->operand[0], *from = &i->operand[1];
	uint8_t reg = to->type == ZYDIS_OPERAND_TYPE_REGISTER && to->size == 64 ? stack_insn_register(to->reg.value) : REG_NONE;
	bool immediate = from->type == ZYDIS_OPERAND_TYPE_IMMEDIATE, known = false;
	uint64_t value = reg == REG_NONE ? 0 : p->value[reg], address;
	switch (i->insn.mnemonic) {
	case ZYDIS_MNEMONIC_ADD: known = immediate && holds(p, reg), value += from->imm.value.s; break;
	case ZYDIS_MNEMONIC_SUB: known = immediate && holds(p, reg), value -= from->imm.value.s; break;
	case ZYDIS_MNEMONIC_AND: known = immediate && holds(p, reg), value &= from->imm.value.s; break;
	case ZYDIS_MNEMONIC_LEA: known = simple_address(p, from, &value); break;
	case ZYDIS_MNEMONIC_MOV:
		if (from->type == ZYDIS_OPERAND_TYPE_REGISTER) {
			uint8_t source = stack_insn_register(from->reg.value);
			known = holds(p, source);
			value = known ? p->value[source] : 0;
		} else {
			known = simple_address(p, from, &address) && load(s, address, &value);
		}
		break;
	default: break;
	}
	clobber(p, i);
	set(p, reg, known && reg != REG_NONE, value);
}

static void execute(struct search *s, struct path *p, const struct stack_insn *i)
{
	switch (i->insn.mnemonic) {
	case ZYDIS_MNEMONIC_PUSH:
	case ZYDIS_MNEMONIC_PUSHFQ: p->value[REG_RSP] -= 8; break;
	case ZYDIS_MNEMONIC_POP: pop(s, p, i); break;
	case ZYDIS_MNEMONIC_POPFQ: p->value[REG_RSP] += 8; break;
	case ZYDIS_MNEMONIC_LEAVE: leave(s, p); break;
	case ZYDIS_MNEMONIC_CALL: p->known &= CALLEE_SAVED | 1u << REG_RSP; break;
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_AND:
	case ZYDIS_MNEMONIC_LEA:
	case ZYDIS_MNEMONIC_MOV: compute(s, p, i); break;
	default: clobber(p, i);
	}
}

/* At a ret or an indirect tail jump: does the stack pointer stand at what is looked for? */
static bool leaves(struct search *s, const struct path *p, struct stack_exit *out)
{
	uint64_t slot = p->value[REG_RSP], address;
	struct stack_code call;
	if (slot < s->lowest) /* behind a call that doesn't return, another procedure begins */
		return false;
	if (s->slot ? slot != s->slot : !load(s, slot, &address) || (!stack_call_before(s->view, address, &call) && !stack_is_restorer(s->view, address)))
		return false;
	out->slot = slot;
	out->offset = p->offset;
	out->is_exact = (p->known & CALLEE_SAVED) == CALLEE_SAVED;
	for (int i = 0; i < REG_COUNT; i++)
		if (CALLEE_SAVED >> i & 1 && holds(p, i))
			out->caller.general[i] = p->value[i];
	if (!s->slot)
		out->caller.rip = address;
	out->caller.general[REG_RSP] = slot + 8;
	return true;
}

static void add_path(struct search *s, const struct path *p, uint64_t offset)
{
	if (s->count == PATHS_MAX)
		return;
	s->paths[s->count] = *p;
	s->paths[s->count++].offset = offset;
}

/* Runs one path up to its end. True: it is the way out. */
static bool follow(struct search *s, struct path *p, unsigned *steps, struct stack_exit *out)
{
	struct stack_insn i;
	while (holds(p, REG_RSP) && first_visit(s, p->offset) && ++*steps < STEPS_MAX && stack_spend(s->view, 1) &&
	       stack_insn_decode(s->module, p->offset, &i)) {
		uint64_t next = p->offset + i.insn.length;
		bool direct = i.operand[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE && i.operand[0].imm.is_relative;
		uint64_t target = next + (direct ? i.operand[0].imm.value.u : 0);
		switch (i.insn.meta.category) {
		case ZYDIS_CATEGORY_RET:
			return leaves(s, p, out);
		case ZYDIS_CATEGORY_UNCOND_BR:
			if (!direct)
				return leaves(s, p, out);
			next = target;
			break;
		case ZYDIS_CATEGORY_COND_BR:
			add_path(s, p, target);
			break;
		default:
			if (i.insn.mnemonic == ZYDIS_MNEMONIC_UD2 || i.insn.mnemonic == ZYDIS_MNEMONIC_HLT || i.insn.mnemonic == ZYDIS_MNEMONIC_INT3)
				return false;
			execute(s, p, &i);
		}
		p->offset = next;
	}
	return false;
}

bool stack_find_exit(const struct stack_view *v, const struct stack_code *from, const struct cfi_registers *r, uint32_t known, uint64_t slot,
		     struct stack_exit *out)
{
	enum { SET_UP = 64 }; /* in instructions */
	struct search *s = stack_spend(v, SET_UP) ? calloc(1, sizeof *s) : NULL;
	if (!s)
		return false;
	*s = (struct search){.view = v, .module = from->module, .bias = from->bias, .slot = slot, .lowest = r->general[REG_RSP]};
	struct path p = {.known = known};
	memcpy(p.value, r->general, sizeof p.value);
	add_path(s, &p, from->offset);
	*out = (struct stack_exit){.caller = *r};
	bool found = false;
	for (unsigned steps = 0; s->count && !found;) {
		p = s->paths[--s->count];
		found = follow(s, &p, &steps, out);
	}
	free(s);
	return found;
}
