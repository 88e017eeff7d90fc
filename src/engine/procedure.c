#include "engine/procedure.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/vec.h"
#include "engine/cfi.h"
#include "engine/switch_table.h"

/* State while walking: the instructions by address (open addressing), and addresses still to visit. */
struct walk {
	struct procedure *p;
	VEC(struct range) ranges;
	VEC(struct insn) insns;
	VEC(uint64_t) todo, landings, external;
	VEC(uint64_t) data, tables, bases; /* taken by lea: read-only data; those that are no table counted from themselves; labels */
	VEC(struct cases { uint64_t table, base; size_t next; }) cases; /* from next_cases on: entries of tables, still to visit; base 0: of addresses */
	size_t next_cases;
	uint32_t *slots; /* insn number + 1 */
	size_t slot_count;
};

static size_t slot_of(const struct walk *w, uint64_t address)
{
	size_t at = (address * 0x9e3779b97f4a7c15u) >> 20 & (w->slot_count - 1);
	while (w->slots[at] && w->insns.at[w->slots[at] - 1].address != address)
		at = (at + 1) & (w->slot_count - 1);
	return at;
}

static void rehash(struct walk *w)
{
	w->slot_count = w->slot_count ? w->slot_count * 2 : 256;
	free(w->slots);
	w->slots = calloc(w->slot_count, sizeof *w->slots);
	if (!w->slots)
		abort();
	for (size_t i = 0; i < w->insns.count; i++)
		w->slots[slot_of(w, w->insns.at[i].address)] = i + 1;
}

static bool in_ranges(const struct walk *w, uint64_t address)
{
	for (size_t i = 0; i < w->ranges.count; i++)
		if (address >= w->ranges.at[i].start && address < w->ranges.at[i].end)
			return true;
	return false;
}

static void visit_target(struct walk *w, uint64_t target)
{
	if (in_ranges(w, target))
		vec_push(&w->todo, target);
	else
		vec_push(&w->external, target);
}

static void visit_landing(void *context, uint64_t target)
{
	struct walk *w = context;
	if (!in_ranges(w, target)) {
		vec_push(&w->external, target);
		return;
	}
	vec_push(&w->landings, target);
	vec_push(&w->todo, target);
}

/* `call 1f; <data>; 1: pop %rcx`: the return address is taken for its own sake. What stands there need not be code; where it is, control comes back
 * to it by ways that are seen elsewhere. */
static bool takes_return_address(const struct walk *w, const struct insn *call)
{
	size_t available;
	const uint8_t *bytes;
	if (call->flow != FLOW_CALL || !in_ranges(w, call->target) || !(bytes = module_bytes(w->p->module, call->target, &available)) || available < 3)
		return false;
	bytes += (bytes[0] & 0xf0) == 0x40;
	return (bytes[0] & 0xf8) == 0x58 || bytes[0] == 0x8f; /* pop */
}

/* A branch or call to where the module has no code, an operand far from all that it has: data, decoded, as behind a jump table that was taken for longer than
 * it is. */
static bool goes_nowhere(const struct module *m, const struct insn *i)
{
	const uint64_t far = 1ul << 28;
	bool direct = i->flow == FLOW_BRANCH || i->flow == FLOW_JUMP || i->flow == FLOW_CALL;
	if (direct || !i->rip_offset)
		return direct && !module_text(m, i->target);
	for (size_t k = 0; k < m->segment_count; k++)
		if (i->target - m->segments[k].offset + far < m->segments[k].memory_size + 2 * far)
			return false;
	return true;
}

static const struct insn *known_at(struct walk *w, uint64_t address)
{
	uint32_t number = w->slot_count ? w->slots[slot_of(w, address)] : 0;
	return number ? &w->insns.at[number - 1] : NULL;
}

static bool is_inside_known(struct walk *w, uint64_t address)
{
	enum { LENGTH_MAX = 15 };
	for (unsigned back = 1; back < LENGTH_MAX; back++) {
		const struct insn *i = known_at(w, address - back);
		if (i && i->length > back)
			return true;
	}
	return false;
}

/* in, out, hlt, cli, sti: no program's. */
static bool is_privileged(const uint8_t *bytes, size_t length)
{
	size_t at = 0;
	while (at + 1 < length && (bytes[at] == 0x66 || bytes[at] == 0xf2 || bytes[at] == 0xf3 || (bytes[at] & 0xf0) == 0x40))
		at++;
	return (bytes[at] & 0xf4) == 0xe4 || (bytes[at] & 0xfc) == 0x6c || bytes[at] == 0xf4 || (bytes[at] & 0xfe) == 0xfa;
}

/* Whether code could start there: what is no case of a table (its end was missed, or it is a table of something else) soon comes to what is none, or to the
 * middle of what is known. Not behind a call, which may not return. */
static bool may_be_code(struct walk *w, uint64_t address)
{
	struct insn i;
	for (; in_ranges(w, address); address = insn_end(&i)) {
		size_t available;
		const uint8_t *bytes = module_bytes(w->p->module, address, &available);
		if (known_at(w, address))
			return true;
		if (is_inside_known(w, address) || !bytes || insn_decode(bytes, available, address, &i) || goes_nowhere(w->p->module, &i) ||
		    is_privileged(bytes, i.length))
			return false;
		if (insn_is_call(&i) || !insn_falls_through(&i))
			return true;
	}
	return false;
}

static void add_cases(struct walk *w, uint64_t table, uint64_t base)
{
	vec_push(&w->cases, (struct cases){table, base, 0});
}

static bool is_data(const struct walk *w, uint64_t address)
{
	for (size_t i = 0; i < w->data.count; i++)
		if (w->data.at[i] == address)
			return true;
	return false;
}

/* False: the table ends before its entry. Often another follows, whose numbers count from elsewhere. */
static bool case_at(struct walk *w, const struct cases *c, size_t index, uint64_t *target)
{
	uint64_t entry = c->table + index * (c->base ? sizeof(int32_t) : sizeof(uint64_t));
	return !(index && is_data(w, entry)) && switch_table_target(w->p->module, w->ranges.at, w->ranges.count, c->table, c->base, index, target) &&
	       (!in_ranges(w, *target) || may_be_code(w, *target));
}

/* The next entry of a table. Numbers that are no table's, counted from a label, may well come to a place in the procedure: one alone is none. */
static void visit_case(struct walk *w, struct cases c)
{
	uint64_t target, second;
	bool from_label = c.base && c.base != c.table;
	if (case_at(w, &c, c.next, &target) && (c.next || !from_label || case_at(w, &c, 1, &second))) {
		visit_landing(w, target);
		c.next++;
		vec_push(&w->cases, c);
	} else if (!c.next && c.base == c.table) {
		vec_push(&w->tables, c.table);
		for (size_t i = 0; i < w->bases.count; i++)
			add_cases(w, c.table, w->bases.at[i]);
	}
}

static void visit_base(struct walk *w, uint64_t base)
{
	for (size_t i = 0; i < w->bases.count; i++)
		if (w->bases.at[i] == base)
			return;
	vec_push(&w->bases, base);
	for (size_t i = 0; i < w->tables.count; i++)
		add_cases(w, w->tables.at[i], base);
}

/* `lea address(%rip)` */
static void visit_taken(struct walk *w, uint64_t address)
{
	enum { LABELS_MAX = 16 };
	const struct module *m = w->p->module;
	if (in_ranges(w, address) && w->bases.count < LABELS_MAX)
		visit_base(w, address);
	if (is_data(w, address) || !switch_table_is_possible(m, w->ranges.at, w->ranges.count, address))
		return;
	vec_push(&w->data, address);
	add_cases(w, address, address);
}

/* Such a table's entries need no relocation, so nothing else tells of them. */
static void visit_indexed(struct walk *w, const struct insn *i, const uint8_t *bytes)
{
	uint64_t table;
	const struct module *m = w->p->module;
	if (!m->is_position_independent && switch_table_indexed(bytes, i->length, &table) &&
	    switch_table_is_possible(m, w->ranges.at, w->ranges.count, table) && !is_data(w, table)) {
		vec_push(&w->data, table);
		add_cases(w, table, 0);
	}
}

static bool is_lea(const struct insn *i, const uint8_t *bytes)
{
	enum { LEA = 0x8d };
	return i->flow == FLOW_NEXT && i->rip_offset >= 2 && bytes[i->rip_offset - 2] == LEA;
}

/* Straight down from `address` until control leaves or known code is met. */
static void walk_from(struct walk *w, uint64_t address)
{
	while (in_ranges(w, address)) {
		if ((w->insns.count + 1) * 2 > w->slot_count)
			rehash(w);
		size_t slot = slot_of(w, address);
		if (w->slots[slot])
			return;
		size_t available;
		const uint8_t *bytes = module_bytes(w->p->module, address, &available);
		struct insn i;
		if (!bytes || insn_decode(bytes, available, address, &i) || goes_nowhere(w->p->module, &i))
			return;
		vec_push(&w->insns, i);
		w->slots[slot] = w->insns.count;
		if (i.flow == FLOW_BRANCH || i.flow == FLOW_JUMP || i.flow == FLOW_XBEGIN)
			visit_target(w, i.target);
		if (is_lea(&i, bytes))
			visit_taken(w, i.target);
		visit_indexed(w, &i, bytes);
		if (i.flow == FLOW_CALL && in_ranges(w, i.target)) /* it runs in place, so comes there from outside the copy */
			visit_landing(w, i.target);
		if (takes_return_address(w, &i))
			return;
		if (!insn_falls_through(&i))
			return;
		address = insn_end(&i);
	}
}

/* Tables come last, and all of them entry by entry: what else is known says what can't be a case, and where other tables begin. */
static void walk_all(struct walk *w)
{
	while (w->todo.count || w->next_cases < w->cases.count)
		if (w->todo.count)
			walk_from(w, w->todo.at[--w->todo.count]);
		else
			visit_case(w, w->cases.at[w->next_cases++]);
}

/* Where the direct jumps go that leave a range, as far as they are reached from its start. Found once for each range of the module. */
static const struct range_exits *exits_of(struct module *m, size_t index)
{
	struct procedure p = {.module = m};
	struct walk w = {.p = &p};
	if (!m->exits)
		m->exits = calloc(m->range_count, sizeof *m->exits);
	if (!m->exits)
		abort();
	struct range_exits *e = &m->exits[index];
	if (e->known)
		return e;
	vec_push(&w.ranges, m->ranges[index]);
	vec_push(&w.todo, m->ranges[index].start);
	walk_all(&w);
	*e = (struct range_exits){w.external.at, w.external.count, true};
	vec_free(&w.ranges);
	vec_free(&w.insns);
	vec_free(&w.todo);
	vec_free(&w.landings);
	vec_free(&w.data);
	vec_free(&w.tables);
	vec_free(&w.cases);
	vec_free(&w.bases);
	free(w.slots);
	return e;
}

/* A direct jump from range a into range b; into_middle: not to its start. */
static bool jumps_into(struct module *m, size_t a, size_t b, bool into_middle)
{
	const struct range_exits *e = exits_of(m, a);
	for (size_t i = 0; i < e->count; i++)
		if (e->targets[i] >= m->ranges[b].start + into_middle && e->targets[i] < m->ranges[b].end)
			return true;
	return false;
}

/* A part that a compiler split off is jumped to, and jumps back into the middle of the procedure. Two procedures don't do that to each other. */
static bool belong_together(struct module *m, size_t a, size_t b)
{
	return (jumps_into(m, b, a, true) && jumps_into(m, a, b, false)) || (jumps_into(m, a, b, true) && jumps_into(m, b, a, false));
}

/* All parts of the procedure that the first range is one of, whichever it is. */
static void add_parts(struct walk *w)
{
	struct module *m = w->p->module;
	for (size_t r = 0; r < w->ranges.count; r++) {
		size_t part = module_range_index(m, w->ranges.at[r].start);
		if (part == SIZE_MAX || m->ranges[part].start != w->ranges.at[r].start)
			continue;
		const struct range_exits *e = exits_of(m, part);
		for (size_t i = 0; i < e->count; i++) {
			size_t other = module_range_index(m, e->targets[i]);
			if (other == SIZE_MAX || in_ranges(w, e->targets[i]) || !belong_together(m, part, other))
				continue;
			vec_push(&w->ranges, m->ranges[other]);
		}
	}
}

/* The part that is called: the same one whichever part the offset was in. */
static uint64_t entry_of(const struct module *m, const struct range *parts, size_t count)
{
	const struct range *best = &parts[0];
	for (size_t i = 1; i < count; i++) {
		bool starts = cfi_starts_frame(m, parts[i].start), best_starts = cfi_starts_frame(m, best->start);
		uint64_t size = parts[i].end - parts[i].start, best_size = best->end - best->start;
		if (starts != best_starts ? starts : size != best_size ? size > best_size : parts[i].start < best->start)
			best = &parts[i];
	}
	return best->start;
}

static int order_insns(const void *a, const void *b)
{
	const struct insn *x = a, *y = b;
	return x->address < y->address ? -1 : x->address > y->address;
}

static int order_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}

static void add_roots(struct walk *w)
{
	const struct module *m = w->p->module;
	for (size_t r = 0; r < w->ranges.count; r++)
		for (size_t i = module_root_after(m, w->ranges.at[r].start); i < m->root_count && m->roots[i] < w->ranges.at[r].end; i++)
			visit_landing(w, m->roots[i]);
}

static int find_range(struct module *m, uint64_t offset, struct range *out, uint64_t *entry)
{
	const struct segment *text = module_text(m, offset);
	if (!text)
		return -EFAULT;
	if (module_range(m, offset, out)) {
		*entry = out->start;
		return 0;
	}
	/* Outside .eh_frame (assembly, .init, .fini): from the address entered to the next known range. */
	*out = (struct range){offset, text->offset + text->file_size};
	*entry = offset;
	for (size_t i = 0; i < m->range_count; i++)
		if (m->ranges[i].start > offset) {
			if (m->ranges[i].start < out->end)
				out->end = m->ranges[i].start;
			break;
		}
	return 0;
}

/* Lower bound: the first instruction at or behind the address. */
static size_t insn_at_or_after(const struct procedure *p, uint64_t address)
{
	size_t low = 0, high = p->insn_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (p->insns[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct insn *procedure_insn(const struct procedure *p, uint64_t offset)
{
	size_t i = insn_at_or_after(p, offset);
	return i < p->insn_count && p->insns[i].address == offset ? &p->insns[i] : NULL;
}

const uint8_t *procedure_bytes(const struct procedure *p, const struct insn *i)
{
	size_t available;
	return module_bytes(p->module, i->address, &available);
}

static void mark_leader(const struct procedure *p, bool *leader, uint64_t address)
{
	const struct insn *i = procedure_insn(p, address);
	if (i)
		leader[i - p->insns] = true;
}

static bool *find_leaders(const struct procedure *p, const struct walk *w)
{
	bool *leader = calloc(p->insn_count + 1, 1);
	if (!leader)
		abort();
	for (size_t i = 0; i < p->insn_count; i++) {
		const struct insn *n = &p->insns[i];
		if (n->flow == FLOW_BRANCH || n->flow == FLOW_JUMP || n->flow == FLOW_XBEGIN)
			mark_leader(p, leader, n->target);
		if (n->flow != FLOW_NEXT && n->flow != FLOW_SYSCALL && !insn_is_call(n))
			mark_leader(p, leader, insn_end(n));
		if (i == 0 || insn_end(&p->insns[i - 1]) != n->address)
			leader[i] = true;
	}
	for (size_t i = 0; i < w->landings.count; i++)
		mark_leader(p, leader, w->landings.at[i]);
	mark_leader(p, leader, p->entry);
	return leader;
}

static uint32_t block_at(const struct procedure *p, uint64_t address)
{
	size_t low = 0, high = p->block_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (p->insns[p->blocks[middle].first].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->block_count && p->insns[p->blocks[low].first].address == address ? low : UINT32_MAX;
}

static void add_successor(struct procedure *p, struct block *b, uint64_t address)
{
	uint32_t to = block_at(p, address);
	if (to != UINT32_MAX && b->successor_count < 2)
		b->successor[b->successor_count++] = to;
}

static void make_blocks(struct procedure *p, const struct walk *w)
{
	bool *leader = find_leaders(p, w);
	VEC(struct block) blocks = {0};
	for (size_t i = 0; i < p->insn_count; i++) {
		if (leader[i])
			vec_push(&blocks, (struct block){.first = i});
		blocks.at[blocks.count - 1].count++;
	}
	free(leader);
	p->blocks = blocks.at;
	p->block_count = blocks.count;
	for (size_t i = 0; i < p->block_count; i++) {
		struct block *b = &p->blocks[i];
		const struct insn *last = &p->insns[b->first + b->count - 1];
		if (insn_falls_through(last))
			add_successor(p, b, insn_end(last));
		if (last->flow == FLOW_BRANCH || last->flow == FLOW_JUMP || last->flow == FLOW_XBEGIN)
			add_successor(p, b, last->target);
		b->ends_indirect = last->flow == FLOW_JUMP_INDIRECT;
	}
}

static void make_landings(struct procedure *p, const struct walk *w)
{
	VEC(uint32_t) landings = {0};
	bool *seen = calloc(p->block_count + 1, 1);
	for (size_t i = 0; i < w->landings.count && seen; i++) {
		uint32_t b = block_at(p, w->landings.at[i]);
		if (b == UINT32_MAX || seen[b] || w->landings.at[i] == p->entry)
			continue;
		seen[b] = true;
		vec_push(&landings, b);
	}
	free(seen);
	p->landings = landings.at;
	p->landing_count = landings.count;
}

static void keep_exits(struct procedure *p, struct walk *w)
{
	size_t kept = 0;
	for (size_t i = 0; i < w->external.count; i++)
		if (!in_ranges(w, w->external.at[i]))
			w->external.at[kept++] = w->external.at[i];
	p->exits = w->external.at;
	p->exit_count = kept;
}

int procedure_decode(struct module *m, uint64_t offset, struct procedure **out)
{
	struct range range;
	uint64_t entry;
	int status = find_range(m, offset, &range, &entry);
	if (status)
		return status;
	struct procedure *p = calloc(1, sizeof *p);
	if (!p)
		return -ENOMEM;
	p->module = m;
	p->entry = entry;
	p->users = 1;
	struct walk w = {.p = p};
	vec_push(&w.ranges, range);
	add_parts(&w);
	if (w.ranges.count > 1)
		p->entry = entry_of(m, w.ranges.at, w.ranges.count);
	for (size_t i = 0; i < w.ranges.count; i++)
		vec_push(&w.todo, w.ranges.at[i].start);
	add_roots(&w);
	walk_all(&w);
	if (in_ranges(&w, offset)) { /* entered where no known flow leads: that is code, too */
		visit_landing(&w, offset);
		walk_all(&w);
	}
	keep_exits(p, &w);
	qsort(w.insns.at, w.insns.count, sizeof *w.insns.at, order_insns);
	qsort(w.ranges.at, w.ranges.count, sizeof *w.ranges.at, order_ranges);
	p->insns = w.insns.at;
	p->insn_count = w.insns.count;
	p->ranges = w.ranges.at;
	p->range_count = w.ranges.count;
	if (p->insn_count) {
		make_blocks(p, &w);
		make_landings(p, &w);
		p->entry_block = block_at(p, p->entry);
	}
	vec_free(&w.todo);
	vec_free(&w.landings);
	vec_free(&w.data);
	vec_free(&w.tables);
	vec_free(&w.cases);
	vec_free(&w.bases);
	free(w.slots);
	if (!p->insn_count || m->is_lost) {
		procedure_free(p);
		return m->is_lost ? -EIO : -EILSEQ;
	}
	*out = p;
	return 0;
}

/* As it is decoded from its entry, whichever part was asked for; found by each of its parts from then on. */
void procedure_keep(struct module *m, struct procedure *p)
{
	if (!m->decoded && !(m->decoded = calloc(m->range_count + 1, sizeof *m->decoded)))
		abort();
	for (size_t i = 0; i < p->range_count; i++) {
		size_t range = module_range_index(m, p->ranges[i].start);
		if (range != SIZE_MAX && !m->decoded[range]) {
			m->decoded[range] = p;
			p->users++;
		}
	}
}

static int decode_part(struct module *m, size_t range)
{
	struct procedure *p;
	if (m->decoded && m->decoded[range])
		return 0;
	int status = procedure_decode(m, m->ranges[range].start, &p);
	if (status)
		return status;
	uint64_t entry = p->entry;
	if (entry != m->ranges[range].start) {
		procedure_free(p);
		if ((status = procedure_decode(m, entry, &p)))
			return status;
	}
	procedure_keep(m, p);
	procedure_free(p);
	return m->decoded[range] ? 0 : -EILSEQ;
}

int procedure_get(struct module *m, uint64_t offset, struct procedure **out)
{
	size_t range = module_range_index(m, offset);
	if (range == SIZE_MAX || decode_part(m, range) || !procedure_insn(m->decoded[range], offset))
		return procedure_decode(m, offset, out);
	*out = m->decoded[range];
	(*out)->users++;
	return 0;
}

void procedure_free(struct procedure *p)
{
	if (!p || --p->users)
		return;
	if (p->borrowed) {
		free(p);
		return;
	}
	free(p->ranges);
	free(p->insns);
	free(p->blocks);
	free(p->landings);
	free(p->exits);
	free(p);
}
