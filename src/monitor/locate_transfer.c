#include "monitor/locate_transfer.h"
#include "monitor/locate_private.h"

#include <stdio.h>
#include <string.h>

static size_t read_barred(void *context, uint64_t address, void *out, size_t size)
{
	const struct barred_view *b = context;
	return b->view->read(b->view->context, address, out, size);
}

static struct module *module_in(void *context, uint64_t address, uint64_t *bias)
{
	const struct barred_view *b = context;
	return address == b->address ? NULL : b->view->module_at(b->view->context, address, bias);
}

static uint64_t procedure_in(void *context, struct module *module, uint64_t offset)
{
	const struct barred_view *b = context;
	return b->view->procedure_of(b->view->context, module, offset);
}

struct stack_view locate_bar(struct barred_view *context)
{
	return (struct stack_view){context, read_barred, module_in, context->view->procedure_of ? procedure_in : NULL, context->view->effort};
}

static void name_target(const struct stack_view *barred, uint64_t address, char *out, size_t size)
{
	const struct barred_view *b = barred->context;
	struct stack_code code = stack_code_at(b->view, address);
	const char *slash = code.module ? strrchr(code.module->path, '/') : NULL;
	uint64_t procedure = code.module ? stack_procedure(b->view, &code) : 0;
	if (!code.module)
		snprintf(out, size, "%#llx", (unsigned long long)address);
	else if (procedure)
		snprintf(out, size, "%s+%#llx, the middle of a procedure", slash ? slash + 1 : code.module->path, (unsigned long long)code.offset);
	else
		snprintf(out, size, "%s+%#llx", slash ? slash + 1 : code.module->path, (unsigned long long)code.offset);
}

void locate_transfer(const struct stack_view *barred, const struct raw_failure *raw, struct failure *out)
{
	char target[160];
	locate_begin(raw, out);
	out->depth = stack_walk(barred, &raw->registers, out->stack, STACK_DEPTH_MAX);
	locate_control(barred, raw, out);
	char *end = strstr(out->facts, " went to ");
	name_target(barred, raw->registers.rip, target, sizeof target);
	if (end)
		snprintf(end, sizeof out->facts - (end - out->facts), " went to %s, which is no legitimate target", target);
	out->monitor = MONITOR_FIREWALL;
	locate_settle(out);
}
