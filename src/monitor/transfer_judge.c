#include "monitor/transfer_judge.h"

#include <stdlib.h>
#include <string.h>

#include "engine/targets.h"
#include "engine/procedure.h"
#include "monitor/stack_private.h"

static bool goes_to(const struct stack_view *v, const struct stack_code *code, const struct cfi_registers *r, uint64_t address)
{
	struct stack_insn i;
	uint64_t target;
	return stack_insn_decode(code->module, code->offset, &i) && stack_insn_target(v, &i, code->bias, r, &target) && target == address;
}

/* The call in front of the return address on top of the stack goes to rip. */
static bool was_called(const struct stack_view *v, const struct cfi_registers *r)
{
	struct cfi_registers before = *r;
	struct stack_code call;
	uint64_t behind;
	before.general[REG_RSP] += 8;
	return stack_word(v, r->general[REG_RSP], &behind) && stack_call_before(v, behind, &call) && goes_to(v, &call, &before, r->rip);
}

enum transfer_way transfer_way(const struct stack_view *v, const struct cfi_registers *r)
{
	uint64_t popped;
	if (was_called(v, r))
		return CAME_BY_CALL;
	return stack_word(v, r->general[REG_RSP] - 8, &popped) && popped == r->rip ? CAME_BY_RETURN : CAME_BY_JUMP;
}

static bool has_landing_mark(const struct module *m, uint64_t offset)
{
	static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
	size_t available;
	const uint8_t *bytes = module_bytes(m, offset, &available);
	return bytes && available >= sizeof endbr64 && !memcmp(bytes, endbr64, sizeof endbr64);
}

static bool is_entry(const struct module *m, uint64_t offset)
{
	struct range range;
	uint64_t delta;
	size_t root = module_root_after(m, offset);
	return (module_range(m, offset, &range) && range.start == offset) || (root < m->root_count && m->roots[root] == offset) ||
	       (module_symbol_at(m, offset, &delta) && !delta) || has_landing_mark(m, offset);
}

/* The procedure has an indirect jump whose operand is rip. */
static bool jumps_to(const struct stack_view *v, const struct procedure *p, const struct stack_code *at, const struct cfi_registers *r)
{
	for (size_t i = 0; i < p->insn_count; i++) {
		struct stack_code jump = {at->module, at->bias, p->insns[i].address};
		if (p->insns[i].flow == FLOW_JUMP_INDIRECT && goes_to(v, &jump, r, r->rip))
			return true;
	}
	return false;
}

static bool is_jump_within(const struct stack_view *v, const struct stack_code *at, const struct cfi_registers *r)
{
	struct procedure *p;
	if (procedure_get(at->module, at->offset, &p))
		return false;
	bool does = jumps_to(v, p, at, r);
	procedure_free(p);
	return does;
}

bool transfer_is_legitimate(const struct stack_view *v, const struct cfi_registers *r, enum transfer_way way)
{
	struct stack_code at = stack_code_at(v, r->rip);
	uint64_t call;
	if (!at.module)
		return true; /* not ours to judge */
	if (is_entry(at.module, at.offset) || module_is_target(at.module, at.offset))
		return true;
	if (way != CAME_BY_CALL && locate_is_call(at.module, at.offset, &call))
		return true;
	return way == CAME_BY_JUMP && is_jump_within(v, &at, r);
}
