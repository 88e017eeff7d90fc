#include "learn/print.h"
#include "learn/evaluate.h"
#include "x86/registers.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

const char *const invariant_kind_names[] = {
	[INVARIANT_NONE] = "none", [INVARIANT_ONE_OF] = "one-of", [INVARIANT_LOWER_BOUND] = "lower-bound",
	[INVARIANT_LESS_THAN] = "less-than", [INVARIANT_SP_OFFSET] = "sp-offset",
};

/* Text that is appended piece by piece; counts on where it does not fit. */
struct text {
	char *out;
	size_t size, length;
};

__attribute__((format(printf, 2, 3))) static void append(struct text *t, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	bool full = t->length >= t->size;
	int n = vsnprintf(full ? NULL : t->out + t->length, full ? 0 : t->size - t->length, format, args);
	va_end(args);
	t->length += n > 0 ? n : 0;
}

static void append_value(struct text *t, int64_t v)
{
	enum { DECIMAL_MAX = 0xffff };
	if (v >= -DECIMAL_MAX && v <= DECIMAL_MAX)
		append(t, "%" PRId64, v);
	else if (v < 0)
		append(t, "-0x%" PRIx64, -(uint64_t)v);
	else
		append(t, "0x%" PRIx64, v);
}

static void append_displacement(struct text *t, int64_t d, bool is_first)
{
	uint64_t magnitude = d < 0 ? -(uint64_t)d : (uint64_t)d;
	const char *sign = is_first ? d < 0 ? "-" : "" : d < 0 ? "-" : "+";
	if (!is_first && !d)
		return;
	append(t, magnitude < 10 ? "%s%" PRIx64 : "%s0x%" PRIx64, sign, magnitude);
}

static void append_address(struct text *t, const struct operand *o)
{
	static const char *const segments[] = {"", "fs:", "gs:"};
	append(t, "%s[", o->segment <= SEGMENT_GS ? segments[o->segment] : "?:");
	if (o->module_relative) {
		append(t, "rel 0x%" PRIx64 "]", o->displacement);
		return;
	}
	if (o->base != REG_NONE)
		append(t, "%s", register_name(o->base, 8, 0));
	if (o->index != REG_NONE)
		append(t, "%s%s", o->base != REG_NONE ? "+" : "", register_name(o->index, 8, 0));
	if (o->index != REG_NONE && o->scale > 1)
		append(t, "*%u", o->scale);
	append_displacement(t, o->displacement, o->base == REG_NONE && o->index == REG_NONE);
	append(t, "]");
}

static void append_operand(struct text *t, const struct operand *o)
{
	static const char *const sizes[] = {[1] = "byte ", [2] = "word ", [4] = "dword ", [8] = ""};
	switch (o->kind) {
	case OPERAND_REGISTER:
		append(t, "%s", register_name(o->reg, o->size, o->high_byte));
		break;
	case OPERAND_ADDRESS:
		append(t, "&");
		append_address(t, o);
		break;
	case OPERAND_MEMORY:
		append(t, "%s", o->size <= 8 && sizes[o->size] ? sizes[o->size] : "? ");
		append_address(t, o);
		break;
	default:
		append(t, "?");
	}
}

static void append_variable(struct text *t, const struct variable *v)
{
	if (v->slot == SLOT_STACK)
		append(t, "sp");
	else if (v->slot == SLOT_RETURN)
		append(t, "return value");
	else
		append_operand(t, &v->operand);
}

static void append_one_of(struct text *t, const struct invariant *i, const char *module)
{
	if (i->a.slot != SLOT_RETURN)
		append_variable(t, &i->a);
	append(t, i->a.slot == SLOT_RETURN ? "has returned {" : " in {");
	for (uint32_t k = 0; k < i->count && k < ONE_OF_MAX; k++) {
		append(t, k ? ", " : "");
		if (i->relative >> k & 1)
			append(t, "%s+0x%" PRIx64, module, i->value[k]);
		else
			append_value(t, i->value[k]);
	}
	append(t, "}");
}

static void append_less_than(struct text *t, const struct invariant *i)
{
	const struct variable *here = i->a_is_later ? &i->a : &i->b;
	for (int k = 0; k < 2; k++) {
		const struct variable *v = k ? &i->b : &i->a;
		append(t, k ? " <= " : "");
		append_variable(t, v);
		if (v->at.offset != here->at.offset)
			append(t, " @0x%" PRIx64, v->at.offset);
	}
}

static void append_condition(struct text *t, const struct invariant *i, const char *module)
{
	switch (i->kind) {
	case INVARIANT_ONE_OF:
		append_one_of(t, i, module);
		break;
	case INVARIANT_LOWER_BOUND:
		append_value(t, i->bound);
		append(t, " <= ");
		append_variable(t, &i->a);
		break;
	case INVARIANT_LESS_THAN:
		append_less_than(t, i);
		break;
	case INVARIANT_SP_OFFSET:
		append(t, "sp = entry %c %" PRIu64, i->bound < 0 ? '+' : '-', i->bound < 0 ? -(uint64_t)i->bound : (uint64_t)i->bound);
		break;
	default:
		append(t, "?");
	}
}

static struct text text_of(char *out, size_t size)
{
	if (size)
		out[0] = 0;
	return (struct text){out, size, 0};
}

static const char *module_name(const struct invariant *i, const char *module, char key[13])
{
	snprintf(key, 13, "%.12s", i->a.at.module.hex);
	return module ? module : key;
}

int print_operand(const struct operand *o, char *out, size_t size)
{
	struct text t = text_of(out, size);
	append_operand(&t, o);
	return t.length;
}

int print_variable(const struct variable *v, char *out, size_t size)
{
	struct text t = text_of(out, size);
	append_variable(&t, v);
	return t.length;
}

int print_condition(const struct invariant *i, const char *module, char *out, size_t size)
{
	char key[13];
	struct text t = text_of(out, size);
	append_condition(&t, i, module_name(i, module, key));
	return t.length;
}

int print_invariant(const struct invariant *i, const char *module, char *out, size_t size)
{
	char key[13];
	struct text t = text_of(out, size);
	module = module_name(i, module, key);
	append(&t, "%s+0x%" PRIx64 ": ", module, invariant_point(i)->offset);
	append_condition(&t, i, module);
	return t.length;
}
