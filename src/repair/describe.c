#include "repair/describe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Appends to text[*length]; stays within size. */
static void __attribute__((format(printf, 4, 5))) append(char *text, size_t size, size_t *length, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (*length < size) {
		int n = vsnprintf(text + *length, size - *length, format, args);
		*length = n < 0 || (size_t)n >= size - *length ? size : *length + n;
	}
	va_end(args);
}

static void append_value(char *text, size_t size, size_t *length, int64_t value)
{
	append(text, size, length, value > 0xffff || value < -0xffff ? "%#" PRIx64 : "%" PRId64, value);
}

char *describe_point(struct store *s, const struct point *at, char *text, size_t size)
{
	char path[256];
	if (!at->module.hex[0])
		snprintf(text, size, "no module");
	else if (s && !store_module_path(s, &at->module, path, sizeof path)) {
		const char *slash = strrchr(path, '/');
		snprintf(text, size, "%s+%#" PRIx64, slash ? slash + 1 : path, at->offset);
	} else {
		snprintf(text, size, "%.8s+%#" PRIx64, at->module.hex, at->offset);
	}
	return text;
}

static const char *const register_names[REG_COUNT] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
};

static const char *register_name(uint8_t reg)
{
	return reg < REG_COUNT ? register_names[reg] : "?";
}

static void append_address(char *text, size_t size, size_t *length, const struct operand *o)
{
	const char *plus = "";
	append(text, size, length, "%s", o->segment == SEGMENT_FS ? "fs:" : o->segment == SEGMENT_GS ? "gs:" : "");
	if (o->base != REG_NONE) {
		append(text, size, length, "%s", register_name(o->base));
		plus = "+";
	}
	if (o->index != REG_NONE) {
		append(text, size, length, "%s%s*%u", plus, register_name(o->index), o->scale);
		plus = "+";
	}
	if (o->displacement < 0)
		append(text, size, length, "-%#" PRIx64, -(uint64_t)o->displacement);
	else if (o->displacement || !*plus)
		append(text, size, length, "%s%#" PRIx64, plus, (uint64_t)o->displacement);
}

static void append_variable(char *text, size_t size, size_t *length, const struct variable *v)
{
	const struct operand *o = &v->operand;
	if (v->slot == SLOT_RETURN) {
		append(text, size, length, "value returned");
	} else if (o->kind == OPERAND_REGISTER) {
		append(text, size, length, "%s", register_name(o->reg));
	} else if (o->kind == OPERAND_ADDRESS) {
		append(text, size, length, "address ");
		append_address(text, size, length, o);
	} else if (o->kind == OPERAND_MEMORY) {
		append(text, size, length, "[");
		append_address(text, size, length, o);
		append(text, size, length, "]");
	} else {
		append(text, size, length, "operand %u", v->slot);
	}
	append(text, size, length, " at +%#" PRIx64, v->at.offset);
}

static void append_one_of(char *text, size_t size, size_t *length, const struct invariant *i)
{
	append(text, size, length, " in {");
	for (uint32_t n = 0; n < i->count && n < ONE_OF_MAX; n++) {
		append(text, size, length, "%s%s", n ? ", " : "", i->relative >> n & 1 ? "module+" : "");
		append_value(text, size, length, i->value[n]);
	}
	append(text, size, length, "}");
}

char *describe_invariant(const struct invariant *i, char *text, size_t size)
{
	size_t length = 0;
	if (size)
		text[0] = 0;
	append_variable(text, size, &length, &i->a);
	switch (i->kind) {
	case INVARIANT_ONE_OF:
		append_one_of(text, size, &length, i);
		break;
	case INVARIANT_LOWER_BOUND:
		append(text, size, &length, " >= ");
		append_value(text, size, &length, i->bound);
		break;
	case INVARIANT_LESS_THAN:
		append(text, size, &length, " <= ");
		append_variable(text, size, &length, &i->b);
		break;
	case INVARIANT_SP_OFFSET:
		append(text, size, &length, " = at the procedure's entry - %" PRId64, i->bound);
		break;
	}
	return text;
}

static void append_return(char *text, size_t size, size_t *length, const struct patch *p)
{
	append(text, size, length, "return ");
	if (p->has_value) {
		append_value(text, size, length, p->value);
		append(text, size, length, " ");
	}
	if (p->depth <= 1)
		append(text, size, length, "from the procedure");
	else
		append(text, size, length, "from the procedure's %s", p->depth == 2 ? "caller" : "caller's caller");
	if (p->depth > 3)
		append(text, size, length, " (depth %u)", p->depth);
}

static void append_action(char *text, size_t size, size_t *length, const struct patch *p)
{
	switch (p->action) {
	case ACTION_SET:
		append(text, size, length, "set it to ");
		append_value(text, size, length, p->value);
		break;
	case ACTION_SET_EQUAL:
		append(text, size, length, "set it to the other value");
		break;
	case ACTION_SKIP:
		append(text, size, length, "skip the instruction");
		break;
	case ACTION_DISCARD:
		append(text, size, length, "discard the write");
		break;
	case ACTION_RETURN:
		append_return(text, size, length, p);
		break;
	case ACTION_RESTORE:
		append_return(text, size, length, p);
		append(text, size, length, " with the stack as it was at its entry");
		break;
	}
}

char *describe_patch(const struct patch *p, char *text, size_t size)
{
	static const char *const when[] = {
		[GUARD_ALWAYS] = " whenever the point is reached",
		[GUARD_FAULT] = " when the instruction faults",
		[GUARD_HEAP] = " when it touches no allocated block",
	};
	size_t length = 0;
	if (size)
		text[0] = 0;
	append_action(text, size, &length, p);
	if (p->guard == GUARD_INVARIANT) {
		char invariant[160];
		append(text, size, &length, " unless %s", describe_invariant(&p->invariant, invariant, sizeof invariant));
	} else if (p->guard < sizeof when / sizeof *when) {
		append(text, size, &length, "%s", when[p->guard]);
	}
	return text;
}
