/* Finding the caller without any information: frame pointers, and scans for after-call addresses. */
#include "monitor/stack_private.h"

#include <errno.h>

enum {
	FRAME_MAX = 1 << 20,    /* bytes; a frame pointer further away is none */
	SCAN_WORDS = 4096,
	REMAINS_WORDS = 8192,
	PAGE_WORDS = 512,
};

bool stack_is_restorer(const struct stack_view *v, uint64_t address)
{
	static const uint8_t forms[][9] = {
		{0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05}, /* mov $15,%rax; syscall */
		{0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05},             /* mov $15,%eax; syscall */
	};
	struct stack_code code = stack_code_at(v, address);
	uint8_t held[9] = {0};
	size_t available = 0;
	const uint8_t *bytes = code.module ? module_bytes(code.module, code.offset, &available) : NULL;
	if (available >= sizeof held)
		memcpy(held, bytes, sizeof held);
	else
		v->read(v->context, address, held, sizeof held);
	return !memcmp(held, forms[0], 9) || !memcmp(held, forms[1], 7);
}

/* `jmp *slot(%rip)`, with or without endbr64 before it. */
static bool through_plt(const struct stack_view *v, const struct stack_code *stub, uint64_t *address)
{
	struct cfi_registers none = {0};
	struct stack_insn i;
	if (!stack_insn_decode(stub->module, stub->offset, &i))
		return false;
	if (i.insn.mnemonic == ZYDIS_MNEMONIC_ENDBR64 && !stack_insn_decode(stub->module, stub->offset + i.insn.length, &i))
		return false;
	return i.insn.mnemonic == ZYDIS_MNEMONIC_JMP && i.operand[0].type == ZYDIS_OPERAND_TYPE_MEMORY &&
	       i.operand[0].mem.base == ZYDIS_REGISTER_RIP && stack_insn_target(v, &i, stub->bias, &none, address);
}

bool stack_call_target(const struct stack_view *v, const struct stack_code *call, uint64_t *address)
{
	struct cfi_registers none = {0};
	struct stack_insn i;
	if (!stack_insn_decode(call->module, call->offset, &i))
		return false;
	const ZydisDecodedOperand *o = &i.operand[0];
	if (o->type == ZYDIS_OPERAND_TYPE_REGISTER || (o->type == ZYDIS_OPERAND_TYPE_MEMORY && o->mem.base != ZYDIS_REGISTER_RIP))
		return false;
	if (!stack_insn_target(v, &i, call->bias, &none, address))
		return false;
	struct stack_code stub = stack_code_at(v, *address);
	if (stub.module)
		through_plt(v, &stub, address);
	return true;
}

static bool is_return_address(const struct stack_view *v, uint64_t address)
{
	struct stack_code call;
	return stack_call_before(v, address, &call) || stack_is_restorer(v, address);
}

bool stack_by_frame_pointer(const struct stack_view *v, const struct cfi_registers *r, struct cfi_registers *caller)
{
	uint64_t rbp = r->general[REG_RBP], rsp = r->general[REG_RSP], pair[2];
	if (rbp < rsp || rbp - rsp > FRAME_MAX || rbp % 8 || v->read(v->context, rbp, pair, sizeof pair) != sizeof pair)
		return false;
	if (!is_return_address(v, pair[1]))
		return false;
	*caller = *r;
	caller->rip = pair[1];
	caller->general[REG_RBP] = pair[0];
	caller->general[REG_RSP] = rbp + sizeof pair;
	return true;
}

/* What the procedure pushed first, right below its return address, if it has a frame pointer. */
static void restore_frame_pointer(const struct stack_view *v, uint64_t slot, struct cfi_registers *caller)
{
	uint64_t word;
	if (stack_word(v, slot - 8, &word) && word > slot && word - slot < FRAME_MAX && word % 8 == 0)
		caller->general[REG_RBP] = word;
}

/* Does the stack go on from this caller? */
static bool leads_on(const struct stack_view *v, const struct stack_code *call, const struct cfi_registers *caller)
{
	struct cfi_frame frame;
	struct stack_exit way_out;
	struct stack_code from = {call->module, call->bias, caller->rip - call->bias};
	int status = cfi_step(call->module, call->bias, from.offset - 1, caller, v->read, v->context, &frame);
	if (!status)
		return frame.is_outermost || is_return_address(v, frame.caller.rip);
	return status == -ENOENT && stack_find_exit(v, &from, caller, 1u << REG_RSP | 1u << REG_RBP, 0, &way_out);
}

/* A direct call of something else than the present procedure is probably stale, unless a tail jump lies between. */
static bool is_likely(const struct stack_view *v, const struct stack_code *call, const struct cfi_registers *caller, uint64_t procedure)
{
	uint64_t target;
	if (procedure && stack_call_target(v, call, &target))
		return target == procedure;
	return leads_on(v, call, caller);
}

static void set_caller(const struct stack_view *v, const struct cfi_registers *r, uint64_t slot, uint64_t address, struct cfi_registers *caller)
{
	*caller = *r;
	caller->rip = address;
	caller->general[REG_RSP] = slot + 8;
	restore_frame_pointer(v, slot, caller);
}

bool stack_by_scan(const struct stack_view *v, const struct cfi_registers *r, uint64_t procedure, struct cfi_registers *caller)
{
	uint64_t words[SCAN_WORDS], start = (r->general[REG_RSP] + 7) & ~7ull;
	size_t count = v->read(v->context, start, words, sizeof words) / 8;
	bool found = false;
	for (size_t i = 0; i < count && stack_spend(v, 1); i++) {
		struct stack_code call;
		struct cfi_registers candidate;
		if (!stack_call_before(v, words[i], &call))
			continue;
		set_caller(v, r, start + 8 * i, words[i], &candidate);
		bool likely = is_likely(v, &call, &candidate, procedure);
		if (!found || likely)
			*caller = candidate;
		found = true;
		if (likely)
			break;
	}
	return found;
}

void stack_visit_remains(const struct stack_view *v, uint64_t rsp, stack_remains_visitor *visit, void *context)
{
	uint64_t words[PAGE_WORDS], end = rsp & ~7ull;
	for (size_t done = 0; done < REMAINS_WORDS; done += PAGE_WORDS) {
		uint64_t start = (end - 8) & -(8ull * PAGE_WORDS); /* page by page: what lies below may be unmapped */
		if (v->read(v->context, start, words, end - start) != end - start)
			return;
		for (size_t i = (end - start) / 8; i-- > 0;) {
			struct stack_code call;
			if (stack_call_before(v, words[i], &call) && visit(context, start + 8 * i, words[i], &call))
				return;
		}
		end = start;
	}
}

struct remains {
	const struct stack_view *view;
	struct frame *out;
	unsigned max, count;
};

static bool collect(void *context, uint64_t slot, uint64_t return_address, const struct stack_code *call)
{
	struct remains *r = context;
	if (r->count < r->max)
		stack_frame(r->view, call, slot + 8, &r->out[r->count++]);
	return r->count == r->max;
}

unsigned stack_remains(const struct stack_view *v, uint64_t rsp, struct frame *out, unsigned max)
{
	struct remains r = {v, out, max, 0};
	stack_visit_remains(v, rsp, collect, &r);
	return r.count;
}
