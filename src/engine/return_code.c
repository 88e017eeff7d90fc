/* "Return from the enclosing procedure" as machine code, compiled from the unwind rule at one instruction. */
#include "engine/copy.h"
#include "x86/emit.h"

enum { CODE_MAX = 256 };

/* r11 holds the cfa: caller-saved, so dead at a return. */
enum { CFA = REG_R11 };

static bool restore(struct emitter *e, uint8_t reg, const struct cfi_place *p, uint8_t frame_register)
{
	bool last = reg == frame_register; /* others may still be found through it */
	switch (p->kind) {
	case CFI_SAME:
	case CFI_UNDEFINED:
		return true;
	case CFI_AT_CFA:
		emit_load(e, reg, CFA, p->offset);
		return true;
	case CFI_AT_REGISTER:
		if (!last && p->reg != frame_register)
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
	uint8_t frame_register = REG_RBP;
	for (uint8_t reg = 0; reg < REG_COUNT; reg++)
		if (reg != REG_RSP && reg != frame_register && reg != CFA && !restore(e, reg, &rule->saved[reg], frame_register))
			return false;
	return restore(e, frame_register, &rule->saved[frame_register], frame_register);
}

uint64_t emit_return(struct zone *z, const struct cfi_rule *rule, unsigned lift)
{
	uint64_t at = rule->is_expression || rule->cfa_register >= REG_COUNT || rule->is_signal_frame ? 0 : zone_reserve(z, CODE_MAX);
	if (!at || rule->return_address.kind != CFI_AT_CFA || rule->saved[REG_RSP].kind != CFI_CFA)
		return 0;
	struct emitter e = {zone_host(z, at), at, CODE_MAX, 0, false};
	if (lift)
		emit_lea(&e, REG_RSP, REG_RSP, lift);
	if (rule->cfa_is_loaded)
		emit_load(&e, CFA, rule->cfa_register, rule->cfa_offset);
	else
		emit_lea(&e, CFA, rule->cfa_register, rule->cfa_offset);
	bool possible = restore_registers(&e, rule);
	emit_lea(&e, REG_RSP, CFA, rule->return_address.offset);
	emit_u8(&e, 0xfc); /* cld */
	emit_u8(&e, 0xc3); /* ret */
	zone_trim(z, e.failed || !possible ? at : emit_here(&e));
	return e.failed || !possible ? 0 : at;
}
