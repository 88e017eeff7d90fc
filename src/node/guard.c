#include "node/guard.h"

#include <errno.h>

#include "engine/cfi.h"
#include "learn/evaluate.h"

struct operand guard_operand(const struct operand *o, const struct loaded *l)
{
	struct operand here = *o;
	if (here.module_relative)
		here.displacement += l->bias;
	here.module_relative = 0;
	return here;
}

void guard_activation(struct guest_probe *p, const struct module *m, uint64_t offset)
{
	struct cfi_rule rule;
	p->cfa_register = REG_NONE;
	if (cfi_rule(m, offset, &rule) || rule.is_expression || rule.cfa_is_loaded || rule.cfa_offset != (int32_t)rule.cfa_offset)
		return;
	p->cfa_register = rule.cfa_register;
	p->cfa_offset = rule.cfa_offset;
}

static int fill_one_of(struct guest_probe *p, const struct invariant *i, const struct loaded *l)
{
	p->guard = PROBE_GUARD_NOT_ONE_OF;
	p->value_count = i->count;
	for (unsigned k = 0; k < i->count && k < ONE_OF_MAX; k++)
		p->value[k] = invariant_value(i, k, l->bias);
	return i->count && i->count <= ONE_OF_MAX ? 0 : -EOPNOTSUPP;
}

static int fill_less_than(struct guest_probe *p, const struct invariant *i, const struct loaded *l, bool *needs_earlier,
			  struct operand *earlier_operand, uint64_t *earlier_offset)
{
	const struct variable *later = i->a_is_later ? &i->a : &i->b, *earlier = i->a_is_later ? &i->b : &i->a;
	p->guard = PROBE_GUARD_NOT_LESS;
	p->operand[0] = guard_operand(&later->operand, l);
	p->operand[1] = guard_operand(&earlier->operand, l);
	p->operand_count = 2;
	p->value_count = !i->a_is_later; /* operand 0 is the larger variable */
	*needs_earlier = later->at.offset != earlier->at.offset;
	*earlier_operand = p->operand[1];
	*earlier_offset = earlier->at.offset;
	return *needs_earlier && p->cfa_register == REG_NONE ? -EOPNOTSUPP : 0;
}

int guard_fill(struct guest_probe *p, const struct invariant *i, const struct loaded *l, bool *needs_earlier, struct operand *earlier_operand,
	       uint64_t *earlier_offset)
{
	*needs_earlier = false;
	guard_activation(p, l->module, invariant_point(i)->offset);
	p->operand[0] = guard_operand(&i->a.operand, l);
	p->operand_count = 1;
	switch (i->kind) {
	case INVARIANT_ONE_OF:
		return fill_one_of(p, i, l);
	case INVARIANT_LOWER_BOUND:
		p->guard = PROBE_GUARD_BELOW;
		p->bound = i->bound;
		return 0;
	case INVARIANT_LESS_THAN:
		return fill_less_than(p, i, l, needs_earlier, earlier_operand, earlier_offset);
	case INVARIANT_SP_OFFSET:
		p->guard = PROBE_GUARD_SP;
		p->bound = i->bound;
		p->operand[0] = (struct operand){.kind = OPERAND_REGISTER, .size = 8, .reg = REG_RSP, .base = REG_NONE, .index = REG_NONE};
		return p->cfa_register == REG_NONE ? -EOPNOTSUPP : 0;
	default:
		return -EOPNOTSUPP;
	}
}
