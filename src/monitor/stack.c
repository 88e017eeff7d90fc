#include "monitor/stack_private.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <ucontext.h>

/* One activation on the way out. */
struct cursor {
	struct cfi_registers r;
	bool is_after_call; /* rip is a return address */
	bool is_exact;      /* every step so far was */
};

enum step { STEP_CALLER, STEP_INTERRUPTED, STEP_END };

/* A signal frame may lead anywhere on the stack, and so round in a circle. */
enum { FAR_STEPS_MAX = 1 << 20 };

uint64_t stack_procedure(const struct stack_view *v, const struct stack_code *code)
{
	struct range range;
	uint64_t delta;
	if (v->procedure_of)
		return v->procedure_of(v->context, code->module, code->offset);
	if (module_range(code->module, code->offset, &range))
		return range.start;
	return module_symbol_at(code->module, code->offset, &delta) ? code->offset - delta : 0;
}

void stack_frame(const struct stack_view *v, const struct stack_code *code, uint64_t cfa, struct frame *out)
{
	*out = (struct frame){.address = code->bias + code->offset, .cfa = cfa};
	if (!code->module)
		return;
	out->at = (struct point){code->module->key, code->offset};
	out->procedure = stack_procedure(v, code);
}

/* The instruction a cursor stands for: the call of a return address, else the one at rip. */
static struct stack_code instruction(const struct stack_view *v, const struct cursor *c)
{
	struct stack_code code = stack_code_at(v, c->is_after_call ? c->r.rip - 1 : c->r.rip);
	if (c->is_after_call && code.module)
		locate_is_call(code.module, c->r.rip - code.bias, &code.offset);
	return code;
}

/* The kernel's frame: a ucontext lies where the handler returned to the restorer with rsp. */
static bool interrupted(const struct stack_view *v, struct cursor *c)
{
	static const uint8_t order[REG_COUNT] = {
		[REG_R8] = 0, [REG_R9] = 1, [REG_R10] = 2, [REG_R11] = 3, [REG_R12] = 4, [REG_R13] = 5, [REG_R14] = 6, [REG_R15] = 7,
		[REG_RDI] = 8, [REG_RSI] = 9, [REG_RBP] = 10, [REG_RBX] = 11, [REG_RDX] = 12, [REG_RAX] = 13, [REG_RCX] = 14, [REG_RSP] = 15,
	};
	enum { RIP = 16, RFLAGS = 17, COUNT = 18 };
	uint64_t saved[COUNT];
	uint64_t at = c->r.general[REG_RSP] + offsetof(ucontext_t, uc_mcontext.gregs);
	if (v->read(v->context, at, saved, sizeof saved) != sizeof saved)
		return false;
	for (int i = 0; i < REG_COUNT; i++)
		c->r.general[i] = saved[order[i]];
	c->r.rip = saved[RIP];
	c->r.rflags = saved[RFLAGS];
	c->is_after_call = false;
	return true;
}

/* Goes on at `caller` if that is further up the stack. */
static enum step to_caller(struct cursor *c, const struct cfi_registers *caller, bool is_exact, uint64_t *cfa)
{
	if (caller->general[REG_RSP] <= c->r.general[REG_RSP])
		return STEP_END;
	*cfa = caller->general[REG_RSP];
	c->r = *caller;
	c->is_after_call = true;
	c->is_exact &= is_exact;
	return STEP_CALLER;
}

static bool is_plausible(const struct stack_view *v, uint64_t return_address)
{
	struct stack_code call;
	struct cfi_rule rule;
	if (stack_call_before(v, return_address, &call) || stack_is_restorer(v, return_address))
		return true;
	/* Where the system starts threads and contexts, nobody called. */
	return call.module && !cfi_rule(call.module, call.offset, &rule) && rule.return_address.kind == CFI_UNDEFINED;
}

/* Without call frame information: what is left, the more reliable first. With a rule that leads to no return address, the caller's address is
 * overwritten and the next one that is found belongs to somebody further up. */
static enum step guess(const struct stack_view *v, struct cursor *c, const struct stack_code *code, bool has_rule, uint64_t *cfa)
{
	struct cfi_registers caller;
	struct stack_exit way_out;
	uint64_t procedure = code->module ? stack_procedure(v, code) : 0;
	struct stack_code from = {code->module, code->bias, c->r.rip - code->bias};
	if (code->module && !has_rule && stack_find_exit(v, &from, &c->r, c->is_exact ? ~0u : 1u << REG_RSP | 1u << REG_RBP, 0, &way_out))
		return to_caller(c, &way_out.caller, way_out.is_exact, cfa);
	if (!has_rule && stack_by_frame_pointer(v, &c->r, &caller))
		return to_caller(c, &caller, false, cfa);
	if (stack_by_scan(v, &c->r, procedure && !has_rule ? code->bias + procedure : 0, &caller))
		return to_caller(c, &caller, false, cfa);
	return STEP_END;
}

static enum step step(const struct stack_view *v, struct cursor *c, uint64_t *cfa)
{
	struct stack_code code = stack_code_at(v, c->is_after_call ? c->r.rip - 1 : c->r.rip);
	struct cfi_frame frame;
	*cfa = 0;
	if (stack_is_restorer(v, c->r.rip)) {
		*cfa = c->r.general[REG_RSP];
		return interrupted(v, c) ? STEP_INTERRUPTED : STEP_END;
	}
	int status = code.module ? cfi_step(code.module, code.bias, code.offset, &c->r, v->read, v->context, &frame) : -ENOENT;
	if (!status && (frame.is_outermost || !frame.caller.rip)) {
		*cfa = frame.cfa;
		return STEP_END;
	}
	if (!status && is_plausible(v, frame.caller.rip)) {
		enum step went = to_caller(c, &frame.caller, true, cfa);
		c->is_after_call = !frame.is_signal_frame;
		return went;
	}
	if (status)
		return guess(v, c, &code, status != -ENOENT, cfa);
	/* The return address is overwritten: callers further up may be intact. */
	struct cursor above = *c;
	above.r.general[REG_RSP] = frame.cfa > c->r.general[REG_RSP] ? frame.cfa : c->r.general[REG_RSP];
	uint64_t ignored;
	enum step went = guess(v, &above, &code, true, &ignored);
	*cfa = frame.cfa;
	above.is_exact = false;
	*c = above;
	return went;
}

/* From an rip that is no code: the stack as the transferring instruction left it. Fills its frame. */
static enum step step_back(const struct stack_view *v, struct cursor *c, struct frame *transfer)
{
	enum stack_transfer_kind kind = stack_transfer(v, &c->r, transfer);
	struct cfi_registers caller = c->r;
	struct stack_code call;
	uint64_t address = 0, cfa;
	stack_word(v, c->r.general[REG_RSP], &address);
	if (kind != TRANSFER_RETURN && stack_call_before(v, address, &call)) {
		caller.rip = address;
		caller.general[REG_RSP] += 8;
		return to_caller(c, &caller, true, &cfa);
	}
	struct stack_code nowhere = {0};
	if (kind == TRANSFER_RETURN) {
		nowhere = stack_code_at(v, transfer->address); /* its procedure tells the caller */
		c->is_exact = false;
	}
	return guess(v, c, &nowhere, kind == TRANSFER_RETURN, &cfa);
}

/* A procedure without information starts where its caller's direct call goes. */
static void name_by_call(const struct stack_view *v, const struct stack_code *call, struct frame *callee)
{
	uint64_t target;
	if (!callee->procedure && callee->at.module.hex[0] && call->module && stack_call_target(v, call, &target) && target <= callee->address) {
		struct stack_code entry = stack_code_at(v, target);
		if (entry.module && entry.bias == callee->address - callee->at.offset)
			callee->procedure = entry.offset;
	}
}

static unsigned walk(const struct stack_view *v, struct cursor *c, struct frame *out, unsigned max)
{
	unsigned depth = 0;
	enum step went = STEP_CALLER;
	while (depth < max && went != STEP_END) {
		struct stack_code code = instruction(v, c);
		stack_frame(v, &code, 0, &out[depth]);
		if (!code.module)
			out[depth].address = c->r.rip;
		if (depth)
			name_by_call(v, &code, &out[depth - 1]);
		went = step(v, c, &out[depth++].cfa);
	}
	return depth;
}

unsigned stack_walk(const struct stack_view *v, const struct cfi_registers *r, struct frame *out, unsigned max)
{
	struct cursor c = {*r, false, true};
	struct frame transfer;
	unsigned depth = 0;
	if (!max || stack_code_at(v, r->rip).module || stack_is_restorer(v, r->rip))
		return walk(v, &c, out, max);
	out[depth++] = (struct frame){.address = r->rip};
	enum step went = step_back(v, &c, &transfer);
	bool is_caller = went != STEP_END && instruction(v, &c).offset == transfer.at.offset && transfer.at.module.hex[0];
	if (depth < max && transfer.at.module.hex[0] && !is_caller)
		out[depth++] = transfer;
	return went == STEP_END ? depth : depth + walk(v, &c, out + depth, max - depth);
}

int stack_unwind_to(const struct stack_view *v, const struct cfi_registers *r, unsigned count, struct cfi_registers *out)
{
	struct cursor c = {*r, false, true};
	struct frame transfer;
	uint64_t cfa;
	for (unsigned i = 0; i < count; i++) {
		bool is_code = i || stack_code_at(v, r->rip).module || stack_is_restorer(v, r->rip);
		enum step went = is_code ? step(v, &c, &cfa) : step_back(v, &c, &transfer);
		if (went == STEP_END || !c.is_exact)
			return -ENODATA;
	}
	*out = c.r;
	return 0;
}

unsigned stack_walk_far(const struct stack_view *v, const struct cfi_registers *r, struct frame *out, unsigned max)
{
	struct cursor c = {*r, false, true}, first[2] = {c, c};
	unsigned long steps = 0;
	uint64_t cfa;
	/* Two starting points, `max` steps apart: when the end is found, the earlier one is at most twice that away. */
	for (enum step went = STEP_CALLER; went != STEP_END && max && steps < FAR_STEPS_MAX; steps++) {
		if (steps % max == 0) {
			first[0] = first[1];
			first[1] = c;
		}
		went = step(v, &c, &cfa);
	}
	for (unsigned long left = steps <= max ? steps : max + (steps - 1) % max + 1; left > max; left--)
		step(v, &first[0], &cfa);
	return max ? walk(v, &first[0], out, max) : 0;
}

int stack_unwind_above(const struct stack_view *v, const struct cfi_registers *r, uint64_t cfa, struct cfi_registers *out)
{
	struct cursor c = {*r, false, true};
	uint64_t at = 0;
	for (unsigned long steps = 0; at < cfa; steps++)
		if (step(v, &c, &at) == STEP_END || !c.is_exact || steps == FAR_STEPS_MAX)
			return -ENODATA;
	*out = c.r;
	return at == cfa ? 0 : -ENODATA;
}
