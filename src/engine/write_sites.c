#include "engine/write_sites.h"

enum { CHECKED_MAX = 16, GRANULE = 16 };

/* Places that were checked since the block began, and still mean the same address. */
struct checked {
	struct write_point at[CHECKED_MAX];
	unsigned count;
};

unsigned write_points(const struct effects *e, struct write_point out[2])
{
	if (e->write == WRITE_STRING) {
		out[0] = (struct write_point){REG_RDI, REG_RCX, e->size, -1};
		out[1] = (struct write_point){REG_RDI, REG_NONE, 1, 0};
		return 2;
	}
	out[0] = (struct write_point){e->base, e->index, e->index == REG_NONE ? 1 : e->scale, e->displacement + e->size - 1};
	return 1;
}

/* mov %rsp, %rbp and nothing else but what brings the caller's back. */
static bool rbp_is_frame(const struct procedure *p, const struct effects *effects)
{
	bool is_set = false;
	for (size_t i = 0; i < p->insn_count; i++) {
		const struct effects *e = &effects[i];
		if (insn_is_call(&p->insns[i]) || p->insns[i].flow == FLOW_SYSCALL || !(e->writes & 1u << REG_RBP))
			continue;
		bool restores = e->writes & 1u << REG_RSP; /* pop, leave */
		bool sets = e->reads == 1u << REG_RSP && e->kills & 1u << REG_RBP && !restores;
		if (!sets && !restores)
			return false;
		is_set |= sets;
	}
	return is_set;
}

static bool is_checkable(const struct effects *e, bool rbp_is_frame)
{
	if (e->write == WRITE_STRING)
		return true;
	if (e->write != WRITE_PLAIN || (e->base == REG_NONE && e->index == REG_NONE))
		return false;
	return e->base != REG_RSP && !(e->base == REG_RBP && rbp_is_frame);
}

static bool same_registers(const struct write_point *a, const struct write_point *b)
{
	return a->base == b->base && a->index == b->index && (a->index == REG_NONE || a->scale == b->scale);
}

/* Between two checked bytes no more than a granule apart there is no third granule. */
static bool is_covered(const struct checked *c, const struct write_point *p)
{
	for (unsigned i = 0; i < c->count; i++)
		for (unsigned k = 0; k < c->count; k++) {
			int64_t low = c->at[i].displacement, high = c->at[k].displacement;
			if (same_registers(&c->at[i], p) && same_registers(&c->at[k], p) && low <= p->displacement && p->displacement <= high &&
			    high - low <= GRANULE)
				return true;
		}
	return false;
}

static void forget(struct checked *c, uint32_t written)
{
	for (unsigned i = 0; i < c->count; i++) {
		const struct write_point *p = &c->at[i];
		bool changed = (p->base < REG_COUNT && written & 1u << p->base) || (p->index < REG_COUNT && written & 1u << p->index);
		if (changed)
			c->at[i--] = c->at[--c->count];
	}
}

static bool needs_check(struct checked *c, const struct effects *e)
{
	struct write_point points[2];
	unsigned count = write_points(e, points);
	if (count == 1 && is_covered(c, &points[0]))
		return false;
	if (count == 1 && c->count < CHECKED_MAX)
		c->at[c->count++] = points[0];
	return true;
}

static void mark_block(const struct procedure *p, const struct block *b, const struct effects *effects, bool frame, uint8_t *marks, uint8_t mark)
{
	struct checked checked = {.count = 0};
	for (size_t i = b->first; i < b->first + b->count; i++) {
		if (is_checkable(&effects[i], frame) && needs_check(&checked, &effects[i]))
			marks[i] |= mark;
		if (insn_is_call(&p->insns[i]) || p->insns[i].flow == FLOW_SYSCALL)
			checked.count = 0;
		else
			forget(&checked, effects[i].writes);
	}
}

void write_sites_mark(const struct procedure *p, const struct effects *effects, uint8_t *marks, uint8_t mark)
{
	bool frame = rbp_is_frame(p, effects);
	for (size_t b = 0; b < p->block_count; b++)
		mark_block(p, &p->blocks[b], effects, frame, marks, mark);
}
