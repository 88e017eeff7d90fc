#include "node/fault_code.h"

#include "engine/cfi.h"
#include "x86/emit.h"
#include "x86/operands.h"

enum { CODE_MAX = 64 };

/* The one register a load writes; REG_NONE if there is none, or several. */
static uint8_t loaded_register(const struct module *m, uint64_t offset)
{
	struct operands o;
	size_t available;
	const uint8_t *bytes = module_bytes(m, offset, &available);
	if (!bytes || operands_decode(bytes, available, offset, &o) || !o.loads || o.is_call)
		return REG_NONE;
	for (uint8_t r = 0; r < REG_COUNT; r++)
		if (o.registers_written == 1u << r && r != REG_RSP)
			return r;
	return REG_NONE;
}

/* [drop the probe's frame]; [set the load's destination]; jmp behind the instruction (native: if that is redirected, it lands in the copy). */
static uint64_t skip_code(struct loaded *l, const struct patch *p, unsigned lift)
{
	struct insn i;
	size_t available;
	const uint8_t *bytes = module_bytes(l->module, p->at.offset, &available);
	if (!bytes || insn_decode(bytes, available, p->at.offset, &i))
		return 0;
	uint64_t at = zone_reserve(l->zone, CODE_MAX);
	if (!at)
		return 0;
	struct emitter e = {zone_host(l->zone, at), at, CODE_MAX, 0, false};
	uint8_t reg = loaded_register(l->module, p->at.offset);
	if (lift)
		emit_lea(&e, REG_RSP, REG_RSP, lift);
	if (insn_is_call(&i) && p->has_value)
		emit_set(&e, REG_RAX, p->value);
	else if (reg != REG_NONE)
		emit_set(&e, reg, p->has_value ? p->value : 0);
	emit_jump(&e, insn_end(&i) + l->bias);
	zone_trim(l->zone, e.failed ? at : emit_here(&e));
	return e.failed ? 0 : at;
}

/* mov $value, %rax before the return. */
static uint64_t with_value(struct zone *z, const struct patch *p, uint64_t to)
{
	uint64_t at = p->has_value && to ? zone_reserve(z, CODE_MAX) : 0;
	if (!at)
		return p->has_value ? 0 : to;
	struct emitter e = {zone_host(z, at), at, CODE_MAX, 0, false};
	emit_set(&e, REG_RAX, p->value);
	emit_jump(&e, to);
	zone_trim(z, emit_here(&e));
	return e.failed ? 0 : at;
}

/* Returns from p->depth procedures, as long as the return addresses are those of the frames known; where one isn't, the return so far is final. */
static uint64_t return_code(struct image *im, struct loaded *l, const struct patch *p, unsigned lift, const struct point *callers, size_t caller_count)
{
	struct cfi_rule rules[8];
	uint64_t expected[8];
	unsigned depth = p->depth ? p->depth : 1;
	if (depth > 8 || cfi_rule(l->module, p->at.offset, &rules[0]))
		return 0;
	for (unsigned k = 1; k < depth; k++) {
		struct loaded *c = k <= caller_count ? image_module(im, &callers[k - 1].module) : NULL;
		struct insn i;
		size_t available;
		const uint8_t *bytes = c ? module_bytes(c->module, callers[k - 1].offset, &available) : NULL;
		if (!bytes || insn_decode(bytes, available, callers[k - 1].offset, &i) || cfi_rule(c->module, callers[k - 1].offset, &rules[k]))
			return 0;
		expected[k] = insn_end(&i) + c->bias;
	}
	return with_value(l->zone, p, emit_return_chain(l->zone, rules, expected, depth, lift));
}

/* mov %r11, %rsp; cld; ret: the probe has put everything back and left where the return address is. */
static uint64_t restore_code(struct loaded *l)
{
	uint64_t at = zone_reserve(l->zone, CODE_MAX);
	if (!at)
		return 0;
	struct emitter e = {zone_host(l->zone, at), at, CODE_MAX, 0, false};
	emit_move(&e, REG_RSP, REG_R11);
	emit_bytes(&e, (uint8_t[]){0xfc, 0xc3}, 2);
	zone_trim(l->zone, e.failed ? at : emit_here(&e));
	return e.failed ? 0 : at;
}

uint64_t fault_code(struct image *im, struct loaded *l, const struct patch *p, unsigned lift, const struct point *callers, size_t caller_count)
{
	switch (p->action) {
	case ACTION_SKIP:
	case ACTION_DISCARD:
		return skip_code(l, p, lift);
	case ACTION_RESTORE:
		return restore_code(l);
	case ACTION_RETURN:
		return return_code(im, l, p, lift, callers, caller_count);
	default:
		return 0;
	}
}
