/* From hypotheses to invariants: which of them hold, apply and say something. */
#include "learn/state.h"

static bool is_number(const struct state_variable *v)
{
	return !pointer_is(&v->pointer);
}

static struct variable variable_of(const struct state *s, const struct state_variable *v)
{
	return (struct variable){.at = {s->module, v->offset}, .slot = v->slot, .operand = v->operand};
}

static struct invariant invariant_of(const struct state *s, const struct state_variable *v)
{
	return (struct invariant){.procedure = s->procedure, .a = variable_of(s, v), .samples = tally_total(&v->samples)};
}

static int single_invariants(const struct state *s, const struct state_variable *v, state_invariant_visitor *visit, void *context)
{
	struct invariant i = invariant_of(s, v);
	int stop = 0;
	if (one_of_invariant(&v->one_of, &i))
		stop = visit(context, &i);
	i = invariant_of(s, v);
	if (!stop && v->slot != SLOT_RETURN && is_number(v) && lower_bound_invariant(&v->lower, v->operand.size, &i))
		stop = visit(context, &i);
	i = invariant_of(s, v);
	if (!stop && sp_offset_invariant(&v->sp, &i))
		stop = visit(context, &i);
	return stop;
}

/* max(one-of a) <= lower bound of b: a <= b says nothing new. */
static bool follows(const struct state_variable *a, const struct state_variable *b)
{
	return !a->one_of.dropped && a->one_of.count && !a->one_of.relative && b->lower.seen && a->one_of.value[a->one_of.count - 1] <= b->lower.bound;
}

static int pair_direction(const struct state *s, const struct state_pair *p, uint8_t direction, state_invariant_visitor *visit, void *context)
{
	const struct state_variable *earlier = &s->variables[p->earlier], *later = &s->variables[p->later];
	struct variable x = variable_of(s, earlier), y = variable_of(s, later);
	struct invariant i = {.procedure = s->procedure, .samples = tally_total(&p->samples)};
	bool implied = direction == LESS_UP ? follows(earlier, later) : follows(later, earlier);
	return !implied && less_than_invariant(&p->less, direction, &x, &y, &i) ? visit(context, &i) : 0;
}

static int pair_invariants(const struct state *s, const struct state_pair *p, state_invariant_visitor *visit, void *context)
{
	int stop = 0;
	if (!is_number(&s->variables[p->earlier]) || !is_number(&s->variables[p->later]))
		return 0;
	stop = pair_direction(s, p, LESS_UP, visit, context);
	return stop ? stop : pair_direction(s, p, LESS_DOWN, visit, context);
}

int state_invariants(const struct state *s, uint64_t min_samples, state_invariant_visitor *visit, void *context)
{
	int stop = 0;
	size_t p = 0;
	for (size_t v = 0; v < s->variable_count && !stop; v++) {
		if (tally_total(&s->variables[v].samples) >= min_samples)
			stop = single_invariants(s, &s->variables[v], visit, context);
		for (; p < s->pair_count && s->pairs[p].later == v && !stop; p++)
			if (tally_total(&s->pairs[p].samples) >= min_samples)
				stop = pair_invariants(s, &s->pairs[p], visit, context);
	}
	return stop;
}
