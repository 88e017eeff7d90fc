/* Control-flow failures: where did control come from? */
#include "monitor/locate_private.h"

#include <stdio.h>

static const char *const transfer_names[] = {
	[TRANSFER_UNKNOWN] = "an unknown transfer",
	[TRANSFER_CALL] = "a call",
	[TRANSFER_JUMP] = "an indirect jump",
	[TRANSFER_RETURN] = "a return",
};

static void describe(struct failure *out, enum stack_transfer_kind kind, uint64_t target)
{
	snprintf(out->facts, sizeof out->facts, "%s went to %#llx, which is %s", transfer_names[kind], (unsigned long long)target,
		 !target ? "the null pointer" : is_canonical(target) ? "not code" : "no address");
}

/* A transfer to no address faults before it is made: rip still is at the ret, call or jump. */
static bool fails_here(const struct stack_view *v, const struct raw_failure *raw, enum stack_transfer_kind *kind, uint64_t *target)
{
	struct stack_code code = stack_code_at(v, raw->registers.rip);
	struct stack_insn i;
	if (!code.module || !stack_insn_decode(code.module, code.offset, &i))
		return false;
	bool is_known;
	switch (i.insn.meta.category) {
	case ZYDIS_CATEGORY_RET:
		*kind = TRANSFER_RETURN;
		is_known = stack_word(v, raw->registers.general[REG_RSP], target);
		break;
	case ZYDIS_CATEGORY_CALL:
	case ZYDIS_CATEGORY_UNCOND_BR:
		*kind = i.insn.meta.category == ZYDIS_CATEGORY_CALL ? TRANSFER_CALL : TRANSFER_JUMP;
		is_known = stack_insn_target(v, &i, code.bias, &raw->registers, target);
		break;
	default:
		return false;
	}
	return is_known && !is_canonical(*target);
}

bool locate_control(const struct stack_view *v, const struct raw_failure *raw, struct failure *out)
{
	enum stack_transfer_kind kind;
	uint64_t target;
	struct frame at;
	if (!stack_code_at(v, raw->registers.rip).module) {
		kind = stack_transfer(v, &raw->registers, &at);
		target = raw->registers.rip;
		out->location_frame = out->depth > 1;
	} else if (!fails_here(v, raw, &kind, &target)) {
		return false;
	}
	out->monitor = MONITOR_CONTROL;
	describe(out, kind, target);
	return true;
}
