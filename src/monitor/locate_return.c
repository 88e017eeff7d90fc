/* Returns that don't match their calls. The return address on the stack is not to be trusted: the stack is walked with the one that was noted. */
#include "monitor/locate_private.h"

#include <stdio.h>
#include <string.h>

#include "engine/procedure.h"
#include "x86/insn.h"

static uint64_t return_slot(const struct wrong_return *r)
{
	return r->registers.general[REG_RSP];
}

static bool is_return_by_rule(const struct stack_code *code)
{
	struct cfi_rule rule;
	return code->module && !cfi_rule(code->module, code->offset, &rule) && !rule.is_expression && !rule.cfa_is_loaded && rule.cfa_register == REG_RSP &&
	       rule.cfa_offset == 8;
}

/* Does the procedure go on in the range: is it a part of it, or jumped to? */
static bool leads_into(struct module *m, uint64_t procedure, const struct range *range)
{
	struct procedure *p;
	bool leads = false;
	if (procedure_decode(m, procedure, &p))
		return false;
	for (size_t i = 0; i < p->range_count; i++)
		leads |= p->ranges[i].start == range->start;
	for (size_t i = 0; i < p->exit_count; i++)
		leads |= p->exits[i] >= range->start && p->exits[i] < range->end;
	procedure_free(p);
	return leads;
}

/* Behind a direct call of the procedure that returns (RETURN_RIGHT), or of one that goes on in it (RETURN_IS_NONE: whose return it is can't be told)? */
static enum return_verdict judge_target(const struct stack_view *v, uint64_t address, const struct stack_code *procedure)
{
	struct stack_code code = stack_code_at(v, address);
	struct range range;
	uint64_t call;
	struct insn i;
	size_t available;
	if (code.module != procedure->module || !locate_is_call(code.module, code.offset, &call) || !module_range(code.module, procedure->offset, &range))
		return RETURN_SMASHED;
	const uint8_t *bytes = module_bytes(code.module, call, &available);
	if (!bytes || insn_decode(bytes, available, call, &i) || i.flow != FLOW_CALL)
		return RETURN_SMASHED;
	return i.target == range.start ? RETURN_RIGHT : leads_into(code.module, i.target, &range) ? RETURN_IS_NONE : RETURN_SMASHED;
}

enum return_verdict locate_return_judge(const struct stack_view *v, const struct wrong_return *r)
{
	struct stack_code code = stack_code_at(v, r->registers.rip);
	uint64_t target;
	if (!is_return_by_rule(&code))
		return RETURN_IS_NONE;
	if (!stack_word(v, return_slot(r), &target) || target == r->noted)
		return RETURN_RIGHT;
	return judge_target(v, target, &code);
}

/* The stack with the noted word in its place. */
struct mended {
	const struct stack_view *view;
	uint64_t slot, noted;
};

static size_t read_mended(void *context, uint64_t address, void *out, size_t size)
{
	const struct mended *m = context;
	size_t got = m->view->read(m->view->context, address, out, size);
	uint8_t *bytes = out;
	for (size_t i = 0; i < 8; i++)
		if (m->slot + i - address < got)
			bytes[m->slot + i - address] = m->noted >> 8 * i;
	return got;
}

static struct module *module_in(void *context, uint64_t address, uint64_t *bias)
{
	const struct mended *m = context;
	return m->view->module_at(m->view->context, address, bias);
}

static uint64_t procedure_in(void *context, struct module *module, uint64_t offset)
{
	const struct mended *m = context;
	return m->view->procedure_of(m->view->context, module, offset);
}

static const char *name_address(const struct stack_view *v, uint64_t address, char *out, size_t size)
{
	struct stack_code code = stack_code_at(v, address);
	const char *slash = code.module ? strrchr(code.module->path, '/') : NULL;
	if (code.module)
		snprintf(out, size, "%s+%#llx", slash ? slash + 1 : code.module->path, (unsigned long long)code.offset);
	else
		snprintf(out, size, "%#llx, which is no code", (unsigned long long)address);
	return out;
}

void locate_return(const struct stack_view *v, const struct wrong_return *r, struct failure *out)
{
	struct mended mended = {v, return_slot(r), r->noted};
	struct stack_view view = {&mended, read_mended, module_in, v->procedure_of ? procedure_in : NULL};
	struct raw_failure raw = {.registers = r->registers, .pid = r->pid, .tid = r->tid};
	char there[96], back[96];
	uint64_t target = 0;
	locate_begin(&raw, out);
	out->monitor = MONITOR_SHADOW;
	out->depth = stack_walk(&view, &r->registers, out->stack, STACK_DEPTH_MAX);
	locate_settle(out);
	stack_word(v, return_slot(r), &target);
	snprintf(out->facts, sizeof out->facts, "the return address was overwritten: the return would go to %s; the procedure was called from %s",
		 name_address(v, target, there, sizeof there), name_address(v, r->noted, back, sizeof back));
}
