/* "Return from the enclosing procedure" as machine code, compiled from unwind rules. */
#include "engine/copy.h"
#include "x86/emit.h"

enum { CODE_MAX = 256 };

/* r11 holds the cfa: caller-saved, so dead at a return. */
enum { CFA = REG_R11, SCRATCH = REG_R10 };

static bool restore(struct emitter *e, uint8_t reg, const struct cfi_place *p, uint8_t frame_register)
{
	switch (p->kind) {
	case CFI_SAME:
	case CFI_UNDEFINED:
		return true;
	case CFI_AT_CFA:
		emit_load(e, reg, CFA, p->offset);
		return true;
	case CFI_AT_REGISTER: /* the frame register is restored last: others are found through it */
		if (p->reg != frame_register)
			return false;
		emit_load(e, reg, p->reg, p->offset);
		return true;
	case CFI_IN_REGISTER:
		emit_move(e, reg, p->reg);
		return true;
	default:
		return false;
	}
}

static bool restore_registers(struct emitter *e, const struct cfi_rule *rule)
{
	const uint8_t frame_register = REG_RBP;
	for (uint8_t reg = 0; reg < REG_COUNT; reg++)
		if (reg != REG_RSP && reg != frame_register && reg != CFA && !restore(e, reg, &rule->saved[reg], frame_register))
			return false;
	return restore(e, frame_register, &rule->saved[frame_register], frame_register);
}

static bool can_return(const struct cfi_rule *rule)
{
	return !rule->is_expression && rule->cfa_register < REG_COUNT && !rule->is_signal_frame && rule->return_address.kind == CFI_AT_CFA &&
	       rule->saved[REG_RSP].kind == CFI_CFA;
}

/* Leaves rsp at the return address. */
static bool leave_frame(struct emitter *e, const struct cfi_rule *rule)
{
	if (!can_return(rule))
		return false;
	if (rule->cfa_is_loaded)
		emit_load(e, CFA, rule->cfa_register, rule->cfa_offset);
	else
		emit_lea(e, CFA, rule->cfa_register, rule->cfa_offset);
	bool possible = restore_registers(e, rule);
	emit_lea(e, REG_RSP, CFA, rule->return_address.offset);
	return possible;
}

static void emit_return_insns(struct emitter *e)
{
	emit_u8(e, 0xfc); /* cld */
	emit_u8(e, 0xc3); /* ret */
}

/* mov $expected, %r10; cmp %r10, (%rsp); je +2; cld; ret; add $8, %rsp */
static void check_caller(struct emitter *e, uint64_t expected)
{
	emit_set(e, SCRATCH, expected);
	emit_bytes(e, (uint8_t[]){0x4c, 0x39, 0x14, 0x24}, 4);
	emit_bytes(e, (uint8_t[]){0x74, 0x02}, 2);
	emit_return_insns(e);
	emit_bytes(e, (uint8_t[]){0x48, 0x83, 0xc4, 0x08}, 4);
}

uint64_t emit_return_chain(struct zone *z, const struct cfi_rule *rules, const uint64_t *expected, unsigned depth, unsigned lift)
{
	uint64_t at = zone_reserve(z, CODE_MAX * (uint64_t)depth);
	if (!at)
		return 0;
	struct emitter e = {zone_host(z, at), at, CODE_MAX * (size_t)depth, 0, false};
	bool possible = true;
	if (lift)
		emit_lea(&e, REG_RSP, REG_RSP, lift);
	for (unsigned k = 0; k < depth && possible; k++) {
		if (k)
			check_caller(&e, expected[k]);
		possible = leave_frame(&e, &rules[k]);
	}
	emit_return_insns(&e);
	possible &= !e.failed;
	zone_trim(z, possible ? emit_here(&e) : at);
	return possible ? at : 0;
}

uint64_t emit_return(struct zone *z, const struct cfi_rule *rule, unsigned lift)
{
	return emit_return_chain(z, rule, NULL, 1, lift);
}
