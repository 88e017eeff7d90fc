/* Redundancy is a forward data-flow problem over reads: a read is *current* at a point if on every path to it the read was executed and nothing
 * that may change its value has been executed since. Then it stands at a predominating instruction, and a read of the same operand is the
 * same variable. Meet is intersection; blocks entered from outside start with nothing current. */
#include "learn/variables.h"
#include "learn/predominator.h"
#include "x86/operands.h"
#include "x86/registers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

/* What executing an instruction changes. */
struct effect {
	uint32_t first, count; /* its reads */
	struct operands change; /* only registers_written, stores, store count */
};

struct incoming {
	uint32_t from, next; /* next: incoming edge + 1 of the same block; 0: none */
};

struct analysis {
	const struct procedure *p;
	VEC(struct variable_use) reads;
	struct effect *effects;   /* by instruction */
	uint32_t entry;
	size_t words;             /* of a bit set of reads */
	uint64_t *by_register[REG_COUNT]; /* reads whose value depends on the register */
	uint64_t *of_memory;      /* reads of memory */
	uint64_t *in, *out;       /* by block: what is current at its start, at its end */
	uint64_t *scratch;
	uint32_t *same;           /* chain of reads of equal operands: next read + 1 */
	uint32_t *chain;          /* by read: the first of its chain */
	VEC(struct incoming) edges;
	uint32_t *incoming;       /* by block: edge + 1 */
};

static void *allocate(size_t count, size_t size)
{
	void *at = calloc(count ? count : 1, size);
	if (!at)
		abort();
	return at;
}

static void set_bit(uint64_t *set, size_t i)
{
	set[i / 64] |= 1ull << i % 64;
}

static bool has_bit(const uint64_t *set, size_t i)
{
	return set[i / 64] >> i % 64 & 1;
}

/* --- Collecting */

static const struct operand stack_pointer = {.kind = OPERAND_REGISTER, .size = 8, .reg = REG_RSP, .base = REG_NONE, .index = REG_NONE};
static const struct operand return_value = {.kind = OPERAND_REGISTER, .size = 8, .reg = REG_RAX, .base = REG_NONE, .index = REG_NONE};

static bool is_variable(const struct operands *o, const struct operand *read)
{
	bool is_stack_pointer = read->kind == OPERAND_REGISTER && read->reg == REG_RSP;
	bool is_saved = o->saves_register && read->kind == OPERAND_REGISTER;
	return !is_stack_pointer && !is_saved;
}

static void collect_insn(struct analysis *a, uint32_t n, bool starts_block)
{
	struct operands o;
	const uint8_t *bytes = procedure_bytes(a->p, &a->p->insns[n]);
	struct effect *e = &a->effects[n];
	e->first = a->reads.count;
	if (!bytes || operands_decode(bytes, a->p->insns[n].length, a->p->insns[n].address, &o))
		memset(&o, 0, sizeof o);
	for (unsigned i = 0; i < o.read_count; i++)
		if (is_variable(&o, &o.read[i].operand))
			vec_push(&a->reads, (struct variable_use){n, o.read[i].slot, o.read[i].operand});
	if (starts_block || n == a->entry)
		vec_push(&a->reads, (struct variable_use){n, SLOT_STACK, stack_pointer});
	if (o.is_return)
		vec_push(&a->reads, (struct variable_use){n, SLOT_RETURN, return_value});
	e->count = a->reads.count - e->first;
	e->change = o;
}

static uint32_t find_entry(const struct procedure *p)
{
	static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
	const struct insn *first = procedure_insn(p, p->entry);
	uint32_t n = first ? first - p->insns : p->blocks[p->entry_block].first;
	const uint8_t *bytes = procedure_bytes(p, &p->insns[n]);
	bool is_landing_pad = bytes && p->insns[n].length == sizeof endbr64 && !memcmp(bytes, endbr64, sizeof endbr64);
	return is_landing_pad && n + 1 < p->insn_count ? n + 1 : n;
}

static void collect(struct analysis *a, const struct procedure *p)
{
	*a = (struct analysis){.p = p};
	a->entry = find_entry(p);
	a->effects = allocate(p->insn_count, sizeof *a->effects);
	bool *starts = allocate(p->insn_count, sizeof *starts);
	for (size_t b = 0; b < p->block_count; b++)
		starts[p->blocks[b].first] = b != p->entry_block;
	for (uint32_t n = 0; n < p->insn_count; n++)
		collect_insn(a, n, starts[n]);
	free(starts);
}

/* --- Data flow */

static uint64_t operand_hash(const struct operand *o)
{
	uint64_t h = o->kind | o->size << 8 | (uint64_t)o->reg << 16 | (uint64_t)o->base << 24 | (uint64_t)o->index << 32 | (uint64_t)o->high_byte << 40;
	return (h ^ (uint64_t)o->displacement * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
}

/* Links the reads of equal operands. The return value is its own: it is wanted at every return. */
static void link_equal(struct analysis *a)
{
	size_t size = 64;
	while (size < a->reads.count * 2)
		size *= 2;
	uint32_t *table = allocate(size, sizeof *table);
	a->same = allocate(a->reads.count, sizeof *a->same);
	a->chain = allocate(a->reads.count, sizeof *a->chain);
	for (uint32_t r = 0; r < a->reads.count; r++) {
		const struct operand *o = &a->reads.at[r].operand;
		size_t at = operand_hash(o) >> 20 & (size - 1);
		a->chain[r] = r;
		if (a->reads.at[r].slot == SLOT_RETURN)
			continue;
		while (table[at] && !operand_equal(&a->reads.at[table[at] - 1].operand, o))
			at = (at + 1) & (size - 1);
		if (!table[at]) {
			table[at] = r + 1;
			continue;
		}
		uint32_t head = table[at] - 1;
		a->chain[r] = head;
		a->same[r] = a->same[head];
		a->same[head] = r + 1;
	}
	free(table);
}

static void index_reads(struct analysis *a)
{
	a->words = (a->reads.count + 63) / 64;
	a->of_memory = allocate(a->words, sizeof *a->of_memory);
	for (unsigned reg = 0; reg < REG_COUNT; reg++)
		a->by_register[reg] = allocate(a->words, sizeof **a->by_register);
	for (uint32_t r = 0; r < a->reads.count; r++) {
		const struct operand *o = &a->reads.at[r].operand;
		uint32_t registers = operand_registers(o);
		for (unsigned reg = 0; reg < REG_COUNT; reg++)
			if (registers >> reg & 1)
				set_bit(a->by_register[reg], r);
		if (o->kind == OPERAND_MEMORY)
			set_bit(a->of_memory, r);
	}
	link_equal(a);
}

static void remove_changed_memory(const struct analysis *a, const struct operands *change, uint64_t *set)
{
	for (size_t w = 0; w < a->words; w++) {
		uint64_t left = set[w] & a->of_memory[w];
		for (; left; left &= left - 1) {
			unsigned bit = __builtin_ctzll(left);
			if (operand_changed_by(&a->reads.at[w * 64 + bit].operand, change))
				set[w] &= ~(1ull << bit);
		}
	}
}

/* What is current behind an instruction, from what is current before it. */
static void pass_insn(const struct analysis *a, uint32_t n, uint64_t *set)
{
	const struct effect *e = &a->effects[n];
	for (uint32_t r = e->first; r < e->first + e->count; r++)
		set_bit(set, r);
	if (e->change.stores)
		remove_changed_memory(a, &e->change, set);
	for (uint32_t left = e->change.registers_written; left; left &= left - 1) {
		const uint64_t *gone = a->by_register[__builtin_ctz(left)];
		for (size_t w = 0; w < a->words; w++)
			set[w] &= ~gone[w];
	}
}

static void add_incoming(void *context, uint32_t from, uint32_t to)
{
	struct analysis *a = context;
	vec_push(&a->edges, (struct incoming){from, a->incoming[to]});
	a->incoming[to] = a->edges.count;
}

static void meet(const struct analysis *a, uint32_t block, uint64_t *in)
{
	memset(in, a->incoming[block] ? 0xff : 0, a->words * sizeof *in);
	for (uint32_t e = a->incoming[block]; e; e = a->edges.at[e - 1].next) {
		uint32_t from = a->edges.at[e - 1].from;
		for (size_t w = 0; w < a->words; w++)
			in[w] &= from == BLOCK_NONE ? 0 : a->out[from * a->words + w];
	}
}

static bool pass_block(const struct analysis *a, uint32_t block)
{
	uint64_t *in = a->in + block * a->words, *out = a->out + block * a->words;
	const struct block *b = &a->p->blocks[block];
	meet(a, block, in);
	memcpy(a->scratch, in, a->words * sizeof *in);
	for (uint32_t i = 0; i < b->count; i++)
		pass_insn(a, b->first + i, a->scratch);
	bool changed = memcmp(out, a->scratch, a->words * sizeof *out);
	memcpy(out, a->scratch, a->words * sizeof *out);
	return changed;
}

static void flow(struct analysis *a)
{
	size_t blocks = a->p->block_count;
	a->in = allocate(blocks * a->words, sizeof *a->in);
	a->out = allocate(blocks * a->words, sizeof *a->out);
	a->scratch = allocate(a->words, sizeof *a->scratch);
	a->incoming = allocate(blocks, sizeof *a->incoming);
	memset(a->out, 0xff, blocks * a->words * sizeof *a->out);
	predominators_edges(a->p, add_incoming, a);
	for (bool changed = true; changed;) {
		changed = false;
		for (uint32_t b = 0; b < blocks; b++)
			changed |= pass_block(a, b);
	}
}

/* --- Result */

static bool is_current(const struct analysis *a, uint32_t read, const uint64_t *set)
{
	for (uint32_t r = a->chain[read] + 1; r; r = a->same[r - 1])
		if (r - 1 != read && has_bit(set, r - 1))
			return true;
	return false;
}

/* The first of equal operands of one instruction stands for all. */
static void select_block(struct analysis *a, const struct block *b, uint64_t *set, bool *keep)
{
	for (uint32_t n = b->first; n < b->first + b->count; n++) {
		const struct effect *e = &a->effects[n];
		for (uint32_t r = e->first; r < e->first + e->count; r++) {
			bool always = a->reads.at[r].slot == SLOT_RETURN || (a->reads.at[r].slot == SLOT_STACK && n == a->entry);
			keep[r] = always || !is_current(a, r, set);
			set_bit(set, r);
		}
		pass_insn(a, n, set);
	}
}

static void select_reads(struct analysis *a, struct variables *out)
{
	bool *keep = allocate(a->reads.count, sizeof *keep);
	for (size_t b = 0; b < a->p->block_count; b++)
		select_block(a, &a->p->blocks[b], a->in + b * a->words, keep);
	for (size_t r = 0; r < a->reads.count; r++)
		if (keep[r])
			out->at[out->count++] = a->reads.at[r];
	free(keep);
}

static void release(struct analysis *a)
{
	vec_free(&a->reads);
	vec_free(&a->edges);
	for (unsigned reg = 0; reg < REG_COUNT; reg++)
		free(a->by_register[reg]);
	free(a->effects);
	free(a->of_memory);
	free(a->in);
	free(a->out);
	free(a->scratch);
	free(a->same);
	free(a->chain);
	free(a->incoming);
}

static int check_size(const struct procedure *p)
{
	return !p->insn_count || !p->block_count ? -EILSEQ : p->insn_count > VARIABLES_INSNS_MAX ? -E2BIG : 0;
}

int variables_find_all(const struct procedure *p, struct variables *out)
{
	struct analysis a;
	*out = (struct variables){0};
	int error = check_size(p);
	if (error)
		return error;
	collect(&a, p);
	out->entry = a.entry;
	out->at = allocate(a.reads.count, sizeof *out->at);
	out->count = a.reads.count;
	memcpy(out->at, a.reads.at, a.reads.count * sizeof *out->at);
	release(&a);
	return 0;
}

int variables_find(const struct procedure *p, struct variables *out)
{
	struct analysis a;
	*out = (struct variables){0};
	int error = check_size(p);
	if (error)
		return error;
	collect(&a, p);
	index_reads(&a);
	flow(&a);
	out->entry = a.entry;
	out->at = allocate(a.reads.count, sizeof *out->at);
	select_reads(&a, out);
	release(&a);
	return 0;
}

void variables_release(struct variables *v)
{
	free(v->at);
	*v = (struct variables){0};
}
