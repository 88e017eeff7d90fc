#include "engine/targets.h"
#include "engine/procedure.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

enum { IMMEDIATE = 4 };

typedef VEC(uint64_t) address_list;

static void take(const struct module *m, address_list *targets, uint64_t offset)
{
	if (module_text(m, offset))
		vec_push(targets, offset);
}

static void take_from(struct module *m, const struct insn *n, const uint8_t *bytes, address_list *targets)
{
	uint32_t immediate;
	if ((n->flow == FLOW_NEXT && n->rip_offset) || n->flow == FLOW_CALL) /* Go's runtime calls into the middle of its block clearing */
		take(m, targets, n->target);
	if (n->flow != FLOW_NEXT || m->is_position_independent || n->length <= IMMEDIATE)
		return;
	memcpy(&immediate, bytes + n->length - IMMEDIATE, IMMEDIATE);
	take(m, targets, immediate);
}

/* Between procedures, in front of loops. */
static bool is_padding(const struct insn *n, const uint8_t *bytes)
{
	return insn_is_filler(n, bytes) || (n->length == 2 && !bytes[0] && !bytes[1]);
}

/* Code that no known flow leads to, straight on: it stays native, and comes back by its jumps, or at its end. */
static void take_from_gap(struct module *m, uint64_t at, uint64_t end, address_list *targets)
{
	struct insn n;
	bool goes_on = false;
	for (; at < end; at = insn_end(&n)) {
		size_t available;
		const uint8_t *bytes = module_bytes(m, at, &available);
		if (!bytes || insn_decode(bytes, available, at, &n)) {
			n = (struct insn){.address = at, .length = 1};
			goes_on = false;
			continue;
		}
		if (!is_padding(&n, bytes))
			goes_on = insn_falls_through(&n);
		take_from(m, &n, bytes, targets);
		if (n.flow == FLOW_BRANCH || n.flow == FLOW_JUMP)
			take(m, targets, n.target);
	}
	if (goes_on)
		take(m, targets, end);
}

static void take_from_range(const struct procedure *p, const struct range *r, address_list *targets)
{
	uint64_t at = r->start;
	for (size_t i = 0; i < p->insn_count; i++) {
		const struct insn *n = &p->insns[i];
		if (n->address < r->start || n->address >= r->end)
			continue;
		if (n->address > at)
			take_from_gap(p->module, at, n->address, targets);
		take_from(p->module, n, procedure_bytes(p, n), targets);
		if (insn_end(n) > at)
			at = insn_end(n);
	}
	if (at < r->end)
		take_from_gap(p->module, at, r->end, targets);
}

static void take_from_procedure(const struct procedure *p, address_list *targets)
{
	for (size_t i = 0; i < p->exit_count; i++)
		take(p->module, targets, p->exits[i]);
	for (size_t i = 0; i < p->range_count; i++)
		take_from_range(p, &p->ranges[i], targets);
}

static int order_addresses(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* What lies outside all procedures (assembly without call frame information, linkage tables) stays native, too. */
static void take_from_between(struct module *m, const struct segment *s, address_list *targets)
{
	uint64_t at = s->offset, end = s->offset + s->file_size;
	for (size_t i = 0; i < m->range_count && m->ranges[i].start < end; i++) {
		if (m->ranges[i].start > at)
			take_from_gap(m, at, m->ranges[i].start, targets);
		if (m->ranges[i].end > at)
			at = m->ranges[i].end;
	}
	if (at < end)
		take_from_gap(m, at, end, targets);
}

/* Of a program at a fixed address: any aligned word may be the address of code. (Elsewhere relocations tell: module.roots.) */
static void take_from_data(struct module *m, const struct segment *s, address_list *targets)
{
	uint64_t word;
	for (uint64_t at = -s->offset & 7; at + 8 <= s->file_size; at += 8) {
		memcpy(&word, m->file + s->file_offset + at, 8);
		take(m, targets, word);
	}
}

static void sort_once(address_list *l)
{
	size_t kept = 0;
	if (l->count)
		qsort(l->at, l->count, sizeof *l->at, order_addresses);
	for (size_t i = 0; i < l->count; i++)
		if (!i || l->at[i] != l->at[i - 1])
			l->at[kept++] = l->at[i];
	l->count = kept;
}

static void find_targets(struct module *m)
{
	address_list targets = {0};
	for (size_t i = 0; i < m->segment_count; i++)
		if (module_text(m, m->segments[i].offset))
			take_from_between(m, &m->segments[i], &targets);
		else if (!m->is_position_independent)
			take_from_data(m, &m->segments[i], &targets);
	for (size_t i = 0; i < m->range_count; i++) {
		struct procedure *p;
		if (procedure_get(m, m->ranges[i].start, &p))
			continue;
		if (p->ranges[0].start == m->ranges[i].start) /* once */
			take_from_procedure(p, &targets);
		procedure_free(p);
	}
	sort_once(&targets);
	m->targets = targets.at;
	m->target_count = targets.count;
	m->targets_known = true;
	m->learned |= !m->is_lost;
}

bool module_is_target(struct module *m, uint64_t offset)
{
	if (!m->targets_known)
		find_targets(m);
	return m->target_count && bsearch(&offset, m->targets, m->target_count, sizeof *m->targets, order_addresses);
}
