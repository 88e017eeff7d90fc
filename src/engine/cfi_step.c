/* Computes a caller's registers from a callee's: the evaluator for elfutils' DWARF operations. */
#include "engine/cfi.h"
#include "engine/cfi_frame.h"

#include <errno.h>
#include <stdlib.h>

enum { STACK_MAX = 32 };

struct machine {
	const struct cfi_registers *in;
	cfi_read *read;
	void *context;
	uint64_t bias, cfa;
	uint64_t stack[STACK_MAX];
	unsigned depth;
	bool is_value; /* the result is the value, not its address */
	int status;
};

static void fail(struct machine *e, int status)
{
	if (!e->status)
		e->status = status;
}

static void push(struct machine *e, uint64_t value)
{
	if (e->depth == STACK_MAX)
		fail(e, -EBADMSG);
	else
		e->stack[e->depth++] = value;
}

static uint64_t pop(struct machine *e)
{
	if (e->depth)
		return e->stack[--e->depth];
	fail(e, -EBADMSG);
	return 0;
}

static uint64_t pick(struct machine *e, uint64_t from_top)
{
	if (from_top < e->depth)
		return e->stack[e->depth - 1 - from_top];
	fail(e, -EBADMSG);
	return 0;
}

static uint64_t load(struct machine *e, uint64_t address, size_t size)
{
	uint64_t value = 0;
	if (size > 8)
		fail(e, -EBADMSG);
	else if (e->read(e->context, address, &value, size) != size)
		fail(e, -EFAULT);
	return value;
}

static uint64_t binary(struct machine *e, uint8_t atom, uint64_t a, uint64_t b)
{
	switch (atom) {
	case DW_OP_plus: return a + b;
	case DW_OP_minus: return a - b;
	case DW_OP_mul: return a * b;
	case DW_OP_and: return a & b;
	case DW_OP_or: return a | b;
	case DW_OP_xor: return a ^ b;
	case DW_OP_shl: return b < 64 ? a << b : 0;
	case DW_OP_shr: return b < 64 ? a >> b : 0;
	case DW_OP_shra: return (int64_t)a >> (b < 64 ? b : 63);
	case DW_OP_eq: return a == b;
	case DW_OP_ne: return a != b;
	case DW_OP_lt: return (int64_t)a < (int64_t)b;
	case DW_OP_le: return (int64_t)a <= (int64_t)b;
	case DW_OP_gt: return (int64_t)a > (int64_t)b;
	case DW_OP_ge: return (int64_t)a >= (int64_t)b;
	default: fail(e, -ENOTSUP); return 0;
	}
}

static void constants(struct machine *e, const Dwarf_Op *op)
{
	uint8_t reg;
	int64_t offset;
	if (cfi_base_register(op, &reg, &offset))
		push(e, e->in->general[reg] + offset);
	else if (op->atom == DW_OP_breg0 + CFI_DWARF_RETURN || (op->atom == DW_OP_bregx && op->number == CFI_DWARF_RETURN))
		push(e, e->in->rip + (op->atom == DW_OP_bregx ? op->number2 : op->number));
	else if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
		push(e, op->atom - DW_OP_lit0);
	else if (op->atom >= DW_OP_const1u && op->atom <= DW_OP_consts)
		push(e, op->number);
	else {
		uint64_t b = pop(e), a = pop(e);
		push(e, binary(e, op->atom, a, b));
	}
}

static void operate(struct machine *e, const Dwarf_Op *op)
{
	uint64_t a, b;
	switch (op->atom) {
	case DW_OP_nop: break;
	case DW_OP_addr: push(e, op->number + e->bias); break;
	case DW_OP_call_frame_cfa: push(e, e->cfa); break;
	case DW_OP_stack_value: e->is_value = true; break;
	case DW_OP_plus_uconst: push(e, pop(e) + op->number); break;
	case DW_OP_deref: push(e, load(e, pop(e), 8)); break;
	case DW_OP_deref_size: push(e, load(e, pop(e), op->number)); break;
	case DW_OP_dup: push(e, pick(e, 0)); break;
	case DW_OP_over: push(e, pick(e, 1)); break;
	case DW_OP_pick: push(e, pick(e, op->number)); break;
	case DW_OP_drop: pop(e); break;
	case DW_OP_swap: b = pop(e), a = pop(e), push(e, b), push(e, a); break;
	case DW_OP_neg: push(e, -pop(e)); break;
	case DW_OP_not: push(e, ~pop(e)); break;
	default: constants(e, op);
	}
}

static int evaluate(struct machine *e, const Dwarf_Op *ops, size_t count, uint64_t *out)
{
	e->depth = 0;
	e->is_value = false;
	for (size_t i = 0; i < count && !e->status; i++)
		operate(e, &ops[i]);
	*out = pop(e);
	return e->status;
}

static int caller_value(struct machine *e, Dwarf_Frame *frame, int number, uint64_t *value, bool *is_undefined)
{
	Dwarf_Op memory[3], *ops;
	size_t count;
	if (dwarf_frame_register(frame, number, memory, &ops, &count))
		return -EBADMSG;
	*is_undefined = !count && ops;
	if (!count)
		return 0;
	if (ops[0].atom == DW_OP_regx || (ops[0].atom >= DW_OP_reg0 && ops[0].atom < DW_OP_reg0 + REG_COUNT)) {
		uint64_t source = ops[0].atom == DW_OP_regx ? ops[0].number : (uint64_t)(ops[0].atom - DW_OP_reg0);
		if (count != 1 || source >= REG_COUNT)
			return -ENOTSUP;
		*value = e->in->general[cfi_from_dwarf[source]];
		return 0;
	}
	uint64_t result;
	int status = evaluate(e, ops, count, &result);
	if (!status)
		*value = e->is_value ? result : load(e, result, 8);
	return e->status;
}

static int caller_registers(struct machine *e, Dwarf_Frame *frame, struct cfi_frame *out)
{
	bool is_undefined;
	for (int i = 0; i < REG_COUNT; i++) {
		int status = caller_value(e, frame, i, &out->caller.general[cfi_from_dwarf[i]], &is_undefined);
		if (status)
			return status;
	}
	return caller_value(e, frame, CFI_DWARF_RETURN, &out->caller.rip, &out->is_outermost);
}

int cfi_step(const struct module *m, uint64_t bias, uint64_t offset, const struct cfi_registers *in, cfi_read *read, void *context,
	     struct cfi_frame *out)
{
	Dwarf_Frame *frame;
	int status = cfi_frame_at(m, offset, &frame);
	if (status)
		return status;
	struct machine e = {.in = in, .read = read, .context = context, .bias = bias};
	*out = (struct cfi_frame){.caller = *in};
	Dwarf_Op *ops;
	size_t count;
	status = -EBADMSG;
	if (dwarf_frame_info(frame, NULL, NULL, &out->is_signal_frame) == CFI_DWARF_RETURN && !dwarf_frame_cfa(frame, &ops, &count))
		status = evaluate(&e, ops, count, &e.cfa);
	out->cfa = e.cfa;
	if (!status)
		status = caller_registers(&e, frame, out);
	free(frame);
	return status;
}
