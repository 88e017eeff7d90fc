#include "engine/cfi.h"
#include "engine/cfi_frame.h"

#include <errno.h>
#include <stdlib.h>

struct cfi {
	Dwarf_CFI *dwarf; /* NULL: the module has none */
};

const uint8_t cfi_from_dwarf[REG_COUNT] = {
	REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

/* A module is constant to its users; its cache isn't part of what they see. */
static Dwarf_CFI *handle(const struct module *m)
{
	struct module *owner = (struct module *)m;
	if (!m->cfi) {
		owner->cfi = calloc(1, sizeof *owner->cfi);
		if (m->cfi && m->elf)
			owner->cfi->dwarf = dwarf_getcfi_elf(m->elf);
	}
	return m->cfi ? m->cfi->dwarf : NULL;
}

bool cfi_starts_frame(const struct module *m, uint64_t offset)
{
	struct cfi_rule rule;
	return !cfi_rule(m, offset, &rule) && rule.cfa_register == REG_RSP && rule.cfa_offset == 8;
}

void cfi_free(struct cfi *c)
{
	if (c && c->dwarf)
		dwarf_cfi_end(c->dwarf);
	free(c);
}

int cfi_frame_at(const struct module *m, uint64_t offset, Dwarf_Frame **out)
{
	Dwarf_CFI *cfi = handle(m);
	if (!cfi)
		return -ENOENT;
	if (!dwarf_cfi_addrframe(cfi, offset, out))
		return 0;
	struct range r;
	return module_range(m, offset, &r) ? -EBADMSG : -ENOENT;
}

bool cfi_base_register(const Dwarf_Op *op, uint8_t *reg, int64_t *offset)
{
	bool is_short = op->atom >= DW_OP_breg0 && op->atom < DW_OP_breg0 + REG_COUNT;
	if (!is_short && (op->atom != DW_OP_bregx || op->number >= REG_COUNT))
		return false;
	*reg = cfi_from_dwarf[is_short ? (Dwarf_Word)(op->atom - DW_OP_breg0) : op->number];
	*offset = is_short ? op->number : op->number2;
	return true;
}

static int read_cfa(Dwarf_Frame *frame, struct cfi_rule *out)
{
	Dwarf_Op *ops;
	size_t count;
	if (dwarf_frame_cfa(frame, &ops, &count) || !count)
		return -EBADMSG;
	out->cfa_is_loaded = count == 2 && ops[1].atom == DW_OP_deref;
	if ((count != 1 && !out->cfa_is_loaded) || !cfi_base_register(&ops[0], &out->cfa_register, &out->cfa_offset)) {
		*out = (struct cfi_rule){.valid = out->valid, .is_signal_frame = out->is_signal_frame, .is_expression = true, .cfa_register = REG_NONE};
	}
	return 0;
}

/* Operations that follow DW_OP_call_frame_cfa, as elfutils presents "cfa + offset" rules. */
static struct cfi_place cfa_place(const Dwarf_Op *ops, size_t count)
{
	size_t i = 1;
	int64_t offset = 0;
	struct cfi_place place = {.kind = CFI_EXPRESSION, .reg = REG_NONE};
	if (i < count && ops[i].atom == DW_OP_plus_uconst)
		offset = ops[i++].number;
	else if (i < count && cfi_base_register(&ops[i], &place.reg, &offset) && i + 1 == count)
		return (struct cfi_place){CFI_AT_REGISTER, place.reg, offset}; /* an expression ignores the cfa pushed for it */
	bool is_value = i < count && ops[i].atom == DW_OP_stack_value;
	if (i + is_value == count)
		place = (struct cfi_place){is_value ? CFI_CFA : CFI_AT_CFA, REG_NONE, offset};
	return place;
}

static int read_place(Dwarf_Frame *frame, int number, struct cfi_place *out)
{
	Dwarf_Op memory[3], *ops;
	size_t count;
	*out = (struct cfi_place){.kind = CFI_EXPRESSION, .reg = REG_NONE};
	if (dwarf_frame_register(frame, number, memory, &ops, &count))
		return -EBADMSG;
	if (!count)
		out->kind = ops ? CFI_UNDEFINED : CFI_SAME;
	else if (ops[0].atom == DW_OP_call_frame_cfa)
		*out = cfa_place(ops, count);
	else if (count == 1 && ops[0].atom == DW_OP_regx && ops[0].number < REG_COUNT)
		*out = (struct cfi_place){CFI_IN_REGISTER, cfi_from_dwarf[ops[0].number], 0};
	return 0;
}

/* elfutils' table of the x86-64 ABI's defaults has rax where it means rbx: set both right, unless the file says more. */
static void mend_defaults(struct cfi_rule *r)
{
	if (r->saved[REG_RBX].kind == CFI_UNDEFINED)
		r->saved[REG_RBX].kind = CFI_SAME;
	if (r->saved[REG_RAX].kind == CFI_SAME)
		r->saved[REG_RAX].kind = CFI_UNDEFINED;
}

int cfi_rule(const struct module *m, uint64_t offset, struct cfi_rule *out)
{
	Dwarf_Frame *frame;
	int status = cfi_frame_at(m, offset, &frame);
	if (status)
		return status;
	*out = (struct cfi_rule){.cfa_register = REG_NONE};
	Dwarf_Addr start, end;
	int return_register = dwarf_frame_info(frame, &start, &end, &out->is_signal_frame);
	out->valid = (struct range){start, end};
	status = return_register == CFI_DWARF_RETURN ? read_cfa(frame, out) : -EBADMSG;
	for (int i = 0; !status && i < REG_COUNT; i++)
		status = read_place(frame, i, &out->saved[cfi_from_dwarf[i]]);
	if (!status)
		status = read_place(frame, CFI_DWARF_RETURN, &out->return_address);
	mend_defaults(out);
	free(frame);
	return status;
}
