#include "learn_trace.h"

#include <stdlib.h>

#include "base/vec.h"

static const struct address_range mapped[] = {{0x600000, 0x700000}, {0x555500000000, 0x555500100000}, {0x7f0000000000, 0x7f0010000000}};
const struct value_space trace_space = {
	.bias = 0x555500000000, .start = 0x555500000000, .end = 0x555500100000, .mapped = mapped, .mapped_count = 3,
};

/* How a variable's values behave. */
enum character {
	CONSTANT, FEW, MANY, COUNTER, NEGATIVE, HEAP_POINTER, LOW_POINTER, OWN_POINTER, POINTER_OR_NULL, POINTER_OR_NUMBER, FOLLOWS, RESULT, WIDE, CHARACTERS,
};

struct walker {
	uint32_t block; /* 0xffffffff: to begin anew */
	uint32_t pid;
	uint64_t cfa;
	unsigned steps;
	int64_t counter;
};

struct maker {
	struct trace *trace;
	struct dice *d;
	const struct procedure *p;
	const struct plan *plan;
	uint8_t *character; /* by variable */
	int64_t *base;
	int64_t last;       /* value made before */
};

static int64_t clip(int64_t v, unsigned size)
{
	return (int64_t)((uint64_t)v << (64 - 8 * size)) >> (64 - 8 * size);
}

static int64_t wild_value(struct maker *m, const struct walker *w, uint32_t v)
{
	struct dice *d = m->d;
	switch (m->character[v]) {
	case CONSTANT: return m->base[v];
	case FEW: return m->base[v] + dice_below(d, 4) * 3;
	case MANY: return m->base[v] + dice_below(d, 12);
	case COUNTER: return w->counter;
	case NEGATIVE: return -(int64_t)dice_below(d, 100);
	case HEAP_POINTER: return 0x7f0000000000 + dice_below(d, 0x1000) * 16;
	case LOW_POINTER: return 0x600000 + dice_below(d, 5) * 16;
	case OWN_POINTER: return trace_space.bias + 0x4000 + (m->base[v] & 0xf0) + dice_below(d, 3) * 256;
	case POINTER_OR_NULL: return dice_below(d, 3) ? trace_space.bias + 0x8000 + dice_below(d, 2) * 8 : 0;
	case POINTER_OR_NUMBER: return dice_below(d, 20) ? 0x7f0000000000 + dice_below(d, 64) * 8 : 17;
	case FOLLOWS: return m->last + dice_below(d, 2);
	case RESULT: return dice_below(d, 2) ? (int64_t)dice_below(d, 30) : dice_below(d, 2) ? 0xffffffff - dice_below(d, 3) : -(int64_t)dice_below(d, 9);
	default: return dice_throw(d);
	}
}

static void add_record(struct maker *m, struct walker *w, unsigned number, uint32_t point)
{
	const struct plan_point *p = &m->plan->points[point];
	struct trace_record r = {.point = point};
	r.record.pid = w->pid;
	r.record.cfa = w->cfa;
	r.record.sp = w->cfa - 8 - (p->is_entry ? 0 : p->offset % 7 * 8) - (dice_below(m->d, 200) ? 0 : 16);
	for (uint32_t v = p->first; v < p->first + p->count; v++) {
		const struct plan_variable *x = &m->plan->variables[v];
		if (x->value < 0)
			continue;
		m->last = r.record.value[x->value] = clip(wild_value(m, w, v), x->operand.size);
		if (x->operand.kind == OPERAND_MEMORY && !dice_below(m->d, 50))
			r.record.unreadable |= 1u << x->value;
	}
	vec_push(m->trace, r);
	if (m->trace->walker_count == m->trace->walker_capacity)
		m->trace->walker = vec_grow(m->trace->walker, &m->trace->walker_capacity, 1);
	m->trace->walker[m->trace->walker_count++] = number;
}

static void pass_block(struct maker *m, struct walker *w, unsigned number)
{
	const struct block *b = &m->p->blocks[w->block];
	for (uint32_t i = 0; i < b->count; i++)
		for (uint32_t n = 0; n < m->plan->point_count; n++)
			if (m->plan->points[n].offset == m->p->insns[b->first + i].address)
				add_record(m, w, number, n);
	size_t ways = b->successor_count + (b->ends_indirect ? m->p->landing_count : 0), way = ways ? dice_throw(m->d) % ways : 0;
	if (!ways || ++w->steps > 200)
		w->block = 0xffffffff;
	else
		w->block = way < b->successor_count ? b->successor[way] : m->p->landings[way - b->successor_count];
}

/* Names are used again, in both processes; now and then an activation is joined in the middle. */
static void begin(struct maker *m, struct walker *w, unsigned number)
{
	w->steps = 0;
	w->counter = dice_below(m->d, 40);
	w->cfa = dice_below(m->d, 30) ? 0x7f0010000000 + number * 0x10000 + dice_below(m->d, 3) * 0x100 : 0;
	w->pid = 100 + dice_below(m->d, 2);
	w->block = dice_below(m->d, 15) ? m->p->entry_block : dice_below(m->d, m->p->block_count);
}

void trace_make(struct trace *t, struct dice *d, const struct procedure *p, const struct plan *plan, size_t records)
{
	struct maker m = {.trace = t, .d = d, .p = p, .plan = plan};
	struct walker walkers[TRACE_WALKERS];
	m.character = calloc(plan->variable_count + 1, 1);
	m.base = calloc(plan->variable_count + 1, sizeof *m.base);
	for (size_t v = 0; v < plan->variable_count; v++) {
		m.character[v] = plan->variables[v].slot == SLOT_RETURN && dice_below(d, 2) ? RESULT : dice_below(d, CHARACTERS);
		m.base[v] = (int64_t)dice_below(d, 64) - 8;
	}
	for (unsigned i = 0; i < TRACE_WALKERS; i++)
		walkers[i].block = 0xffffffff;
	for (size_t turns = 0; t->count < records && turns < 100 * records; turns++) {
		unsigned number = dice_below(d, TRACE_WALKERS);
		struct walker *w = &walkers[number];
		if (w->block == 0xffffffff)
			begin(&m, w, number);
		w->counter++;
		pass_block(&m, w, number);
	}
	free(m.character);
	free(m.base);
}

void trace_release(struct trace *t)
{
	free(t->at);
	free(t->walker);
	*t = (struct trace){0};
}
