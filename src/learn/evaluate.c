#include "learn/evaluate.h"

#include <errno.h>

static int64_t sign_extend(uint64_t value, unsigned size)
{
	unsigned shift = 64 - 8 * size;
	return (int64_t)(value << shift) >> shift;
}

static uint64_t address_without_segment(const struct operand *o, const struct machine *m)
{
	uint64_t address = o->displacement;
	if (o->base < REG_COUNT)
		address += m->registers[o->base];
	if (o->index < REG_COUNT)
		address += m->registers[o->index] * o->scale;
	return address + (o->module_relative ? m->bias : 0);
}

uint64_t operand_address(const struct operand *o, const struct machine *m)
{
	uint64_t base = o->segment == SEGMENT_FS ? m->fs_base : o->segment == SEGMENT_GS ? m->gs_base : 0;
	return base + address_without_segment(o, m);
}

static int evaluate_memory(const struct operand *o, const struct machine *m, int64_t *out)
{
	uint64_t value = 0;
	int error = m->read_memory ? m->read_memory(m->context, operand_address(o, m), &value, o->size) : -EFAULT;
	if (!error)
		*out = sign_extend(value, o->size);
	return error;
}

int operand_evaluate(const struct operand *o, const struct machine *m, int64_t *out)
{
	if (!o->size || o->size > 8 || o->size & (o->size - 1))
		return -EINVAL;
	switch (o->kind) {
	case OPERAND_REGISTER:
		if (o->reg >= REG_COUNT)
			return -EINVAL;
		*out = sign_extend(m->registers[o->reg] >> (o->high_byte ? 8 : 0), o->size);
		return 0;
	case OPERAND_ADDRESS:
		*out = address_without_segment(o, m);
		return 0;
	case OPERAND_MEMORY:
		return evaluate_memory(o, m, out);
	default:
		return -EINVAL;
	}
}

int64_t invariant_value(const struct invariant *i, unsigned k, uint64_t bias)
{
	return (uint64_t)i->value[k] + (i->relative >> k & 1 ? bias : 0);
}

static bool one_of_holds(const struct invariant *i, int64_t a, uint64_t bias)
{
	for (unsigned k = 0; k < i->count && k < ONE_OF_MAX; k++)
		if (invariant_value(i, k, bias) == a)
			return true;
	return false;
}

bool invariant_holds(const struct invariant *i, int64_t a, int64_t b, uint64_t bias)
{
	switch (i->kind) {
	case INVARIANT_ONE_OF:
		return one_of_holds(i, a, bias);
	case INVARIANT_LOWER_BOUND:
		return i->bound <= a;
	case INVARIANT_LESS_THAN:
		return a <= b;
	case INVARIANT_SP_OFFSET:
		return (uint64_t)a == (uint64_t)b - (uint64_t)i->bound;
	default:
		return true;
	}
}

const struct point *invariant_point(const struct invariant *i)
{
	return i->kind == INVARIANT_LESS_THAN && !i->a_is_later ? &i->b.at : &i->a.at;
}

static bool same_variable(const struct variable *v, const struct variable *w)
{
	return v->slot == w->slot && !point_compare(&v->at, &w->at);
}

bool invariant_same(const struct invariant *i, const struct invariant *j)
{
	return i->kind == j->kind && same_variable(&i->a, &j->a) && (i->kind != INVARIANT_LESS_THAN || same_variable(&i->b, &j->b));
}
