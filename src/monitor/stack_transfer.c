/* How did control come to an address that is no code? */
#include "monitor/stack_private.h"

enum { UNKNOWN_LENGTH = 1024 }; /* bytes to search in a procedure without .eh_frame range */

static bool transfers_to(const struct stack_view *v, const struct stack_code *code, const struct cfi_registers *r, uint64_t address)
{
	struct stack_insn i;
	uint64_t target;
	return stack_insn_decode(code->module, code->offset, &i) && stack_insn_target(v, &i, code->bias, r, &target) && target == address;
}

/* An indirect jump in the procedure at `entry` whose operand is rip. */
static bool find_jump(const struct stack_view *v, const struct cfi_registers *r, uint64_t entry, struct stack_code *jump)
{
	struct stack_insn i;
	struct range range;
	*jump = stack_code_at(v, entry);
	if (!jump->module)
		return false;
	if (!module_range(jump->module, jump->offset, &range))
		range.end = jump->offset + UNKNOWN_LENGTH;
	while (jump->offset < range.end && stack_spend(v, 1) && stack_insn_decode(jump->module, jump->offset, &i)) {
		if (i.insn.mnemonic == ZYDIS_MNEMONIC_JMP && i.operand[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE &&
		    transfers_to(v, jump, r, r->rip))
			return true;
		jump->offset += i.insn.length;
	}
	return false;
}

/* A procedure that may have returned to rip: when unwinding from the stale call leads to the slot that the ret popped, it has. */
struct returned {
	const struct stack_view *view;
	const struct cfi_registers *r;
	uint64_t popped;
	struct stack_code at;
	bool is_certain;
};

static bool find_return(struct returned *x, const struct stack_code *call, uint64_t return_address, uint64_t slot, uint32_t known, uint64_t *ret)
{
	struct cfi_registers stale = *x->r;
	struct stack_code from = {call->module, call->bias, return_address - call->bias};
	struct stack_exit way_out;
	stale.general[REG_RSP] = slot + 8;
	stale.general[REG_RBP] = x->popped - 8; /* where rbp stood, if the procedure had a frame pointer */
	if (!stack_find_exit(x->view, &from, &stale, known, x->popped, &way_out))
		return false;
	*ret = way_out.offset;
	return true;
}

static bool visit_remain(void *context, uint64_t slot, uint64_t return_address, const struct stack_code *call)
{
	struct returned *x = context;
	uint64_t ret;
	bool certain = find_return(x, call, return_address, slot, 1u << REG_RSP, &ret);
	if (!certain && (x->at.module || !find_return(x, call, return_address, slot, 1u << REG_RSP | 1u << REG_RBP, &ret)))
		return false;
	x->at = (struct stack_code){call->module, call->bias, ret};
	return certain;
}

static bool find_returned(const struct stack_view *v, const struct cfi_registers *r, struct stack_code *at)
{
	struct returned x = {.view = v, .r = r, .popped = r->general[REG_RSP] - 8};
	stack_visit_remains(v, x.popped, visit_remain, &x);
	*at = x.at;
	return x.at.module;
}

enum stack_transfer_kind stack_transfer(const struct stack_view *v, const struct cfi_registers *r, struct frame *at)
{
	uint64_t rsp = r->general[REG_RSP], return_address = 0, popped, target;
	struct stack_code call, found;
	*at = (struct frame){0};
	bool called = stack_word(v, rsp, &return_address) && stack_call_before(v, return_address, &call);
	struct cfi_registers before = *r; /* rsp as the transferring instruction read it */
	before.general[REG_RSP] = rsp + 8;
	if (called && transfers_to(v, &call, &before, r->rip)) {
		stack_frame(v, &call, 0, at);
		return TRANSFER_CALL;
	}
	struct stack_insn i;
	bool has_target = called && (stack_call_target(v, &call, &target) || (stack_insn_decode(call.module, call.offset, &i) &&
			  stack_insn_target(v, &i, call.bias, &before, &target)));
	if (has_target && find_jump(v, r, target, &found)) {
		stack_frame(v, &found, rsp + 8, at);
		return TRANSFER_JUMP;
	}
	if (stack_word(v, rsp - 8, &popped) && popped == r->rip) {
		if (find_returned(v, r, &found))
			stack_frame(v, &found, rsp, at);
		return TRANSFER_RETURN;
	}
	if (!called)
		return TRANSFER_UNKNOWN;
	stack_frame(v, &call, 0, at);
	return TRANSFER_CALL;
}
