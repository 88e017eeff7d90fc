/* Random procedures of random blocks. Registers: r15 the middle of the data, r14 the fuel: one unit less at each entry and at each jump that may lead
 * back; at 0 the case is over. Stack: everything from rsp up was written by the program itself, since what lies below is anybody's.
 *
 * Places that must not be entered alone (between a write into the red zone and its read, inside the fuel's check) are kept out of `starts` and of
 * what computed jumps may go to. */
#include "instructions.h"
#include "labels.h"

#include <string.h>

enum { BLOCKS_MAX = 16 };

/* How a procedure is made. */
struct shape {
	uint32_t first_label;   /* of its blocks; the first one is the entry */
	unsigned blocks;
	unsigned arguments;     /* words that the caller pushes and `ret n` takes */
	bool cold[BLOCKS_MAX];  /* blocks that lie elsewhere */
	bool leaf;              /* has a frame pointer, calls nothing */
	bool marked;            /* endbr64 */
};

static struct shape *shapes;
static unsigned shape_count;

static uint32_t entry_of(const struct shape *s)
{
	return s->first_label + BLOCKS_MAX;
}

static const uint8_t scratch_registers[] = {0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13};

static unsigned some_register(void)
{
	return scratch_registers[random_below(sizeof scratch_registers)];
}

#define CODE(...) put(p, (uint8_t[]){__VA_ARGS__}, sizeof(uint8_t[]){__VA_ARGS__}, true)
/* Not a place to come to. */
#define MORE(...) put(p, (uint8_t[]){__VA_ARGS__}, sizeof(uint8_t[]){__VA_ARGS__}, false)

static void put_word(struct program *p, uint32_t word)
{
	put(p, &word, 4, false);
}

/* One unit less; at 0: jmp *leave. With the flags as they were, or not. */
static void put_fuel(struct program *p)
{
	if (chance(3)) {
		CODE(0x49, 0xff, 0xce);             /* dec %r14 */
		MORE(0x7f, 6);                      /* jg over */
		put_leave(p);
		p->starts[(p->used - 6) / 8] &= ~(1 << (p->used - 6) % 8);
		return;
	}
	CODE(0x4d, 0x8d, 0x76, 0xff);           /* lea -1(%r14), %r14 */
	MORE(0x49, 0x87, 0xce);                 /* xchg %rcx, %r14 */
	MORE(0xe3, 2);                          /* jrcxz 1f */
	MORE(0xeb, 6);                          /* jmp 2f */
	put_leave(p);                           /* 1: jmp *leave */
	p->starts[(p->used - 6) / 8] &= ~(1 << (p->used - 6) % 8);
	MORE(0x49, 0x87, 0xce);                 /* 2: xchg %rcx, %r14 */
}

static void put_jump(struct program *p, uint32_t label)
{
	if (chance(12))
		CODE(0xf2, 0xe9);                   /* bnd jmp */
	else
		CODE(0xe9);
	label_distance(p, label);
}

static void put_branch(struct program *p, uint32_t label)
{
	static const uint8_t hints[] = {0x2e, 0x3e, 0xf2};
	if (chance(10))
		CODE(hints[random_below(3)], 0x0f, 0x80 | random_below(16));
	else
		CODE(0x0f, 0x80 | random_below(16));
	label_distance(p, label);
}

/* lea label(%rip), register; known: analysis may see where it leads. Otherwise as a sum. */
static void put_label_address(struct program *p, unsigned reg, uint32_t label, bool known)
{
	if (known) {
		CODE(0x48 | (reg & 8) >> 1, 0x8d, 0x05 | (reg & 7) << 3);
		label_distance(p, label);
		return;
	}
	uint64_t key = random_next();
	unsigned other = reg == 2 ? 7 : 2;
	CODE(0x48 | (reg & 8) >> 3, 0xb8 | (reg & 7)); /* mov $address - key, register */
	label_address(p, label, key);
	CODE(0x48, 0xb8 | other);                          /* mov $key, other */
	put(p, &key, 8, false);
	CODE(0x48 | (reg & 8) >> 3, 0x01, 0xc0 | other << 3 | (reg & 7)); /* add */
}

static void put_indirect(struct program *p, unsigned reg, bool call)
{
	if (chance(4))
		CODE(0x3e, 0x40 | (reg & 8) >> 3, 0xff, (call ? 0xd0 : 0xe0) | (reg & 7)); /* notrack */
	else
		CODE(0x40 | (reg & 8) >> 3, 0xff, (call ? 0xd0 : 0xe0) | (reg & 7));
}

/* --- Items of a block */

static void item_checkpoint(struct program *p)
{
	int32_t distance = p->tables + 8 - (here(p) + 6);
	CODE(0xff, 0x15);                               /* call *checkpoint */
	put_word(p, distance);
}

static void item_red_zone(struct program *p)
{
	uint8_t at = -8 * (1 + random_below(16));
	unsigned from = random_below(8), to = random_below(8);
	if (from == 4 || to == 4 || to == 5)
		from = to = 0;
	CODE(0x48, 0x89, 0x44 | from << 3, 0x24, at);   /* mov %from, -n(%rsp) */
	MORE(0x90);
	MORE(0x48, 0x8b, 0x44 | to << 3, 0x24, at);     /* mov -n(%rsp), %to */
}

static void item_push_pop(struct program *p)
{
	unsigned from = some_register(), to = some_register();
	switch (random_below(4)) {
	case 0:
		CODE(0x9c);                                 /* pushfq */
		break;
	case 1:
		CODE(0x6a, random_below(128));
		break;
	default:
		CODE(0x40 | (from & 8) >> 3, 0x50 | (from & 7));
	}
	put_random_instruction(p);
	CODE(0x40 | (to & 8) >> 3, 0x58 | (to & 7));
}

static void item_flags(struct program *p)
{
	CODE(0x9c);                                     /* pushfq */
	put_random_instruction(p);
	MORE(0x9d);                                     /* popfq: of nothing else, or single steps begin */
}

static void item_fault(struct program *p)
{
	static const struct { uint8_t size, bytes[8]; } faults[] = {
		{2, {0x0f, 0x0b}}, {1, {0xcc}}, {1, {0xf4}}, {2, {0xcd, 0x03}}, {2, {0xcd, 0x21}}, {3, {0x0f, 0xff, 0xc0}}, {1, {0xfa}}, {1, {0xec}},
		{8, {0x48, 0x8b, 0x04, 0x25, 0x10, 0, 0, 0}}, {8, {0x48, 0x89, 0x0c, 0x25, 0x10, 0, 0, 0}}, {2, {0xf7, 0xf1}}, {3, {0x48, 0xf7, 0xf9}},
		{4, {0xf3, 0x48, 0xab, 0x90}}, {3, {0x0f, 0x09, 0x90}}, {2, {0xff, 0xd0}}, {2, {0xff, 0xe1}}, {2, {0x06, 0x90}},
	};
	unsigned k = random_below(sizeof faults / sizeof *faults);
	if (faults[k].bytes[0] == 0xff)
		put_fuel(p);
	put(p, faults[k].bytes, faults[k].size, true);
}

/* A short branch over something; jrcxz and loop have no other form. */
static void item_skip(struct program *p)
{
	static const uint8_t forms[] = {0xe0, 0xe1, 0xe2, 0xe3, 0xeb};
	if (chance(2))
		CODE(0x70 | random_below(16), 0);
	else
		CODE(forms[random_below(5)], 0);
	uint32_t at = p->used;
	put_random_instruction(p);
	if (chance(2))
		put_random_instruction(p);
	p->bytes[at - 1] = p->used - at;
}

/* mov $imm, %eax whose immediate is four instructions, entered also by a branch into the middle; or a jump into itself. */
static void item_overlap(struct program *p)
{
	if (chance(3)) {
		CODE(0xeb, 0xff, 0xc0);                     /* jmp . + 1; ff c0: inc %eax */
		return;
	}
	CODE(0x70 | random_below(16), 1);
	CODE(0xb8, 0xf5, 0xf8, 0x9f, 0x90);
}

/* call over; data; over: pop */
static void item_call_pop(struct program *p)
{
	unsigned reg = some_register();
	uint8_t gap = chance(2) ? 0 : random_below(9);
	CODE(0xe8);
	put_word(p, gap);
	for (unsigned i = 0; i < gap; i++)
		MORE(random_next());
	CODE(0x40 | (reg & 8) >> 3, 0x58 | (reg & 7));
}

static void item_call(struct program *p)
{
	const struct shape *callee = &shapes[random_below(shape_count)];
	unsigned reg = some_register();
	for (unsigned i = 0; i < callee->arguments; i++)
		CODE(0x50 | random_below(4));
	switch (random_below(6)) {
	case 0:
		put_label_address(p, reg, entry_of(callee), chance(2));
		put_indirect(p, reg, true);
		break;
	case 1: /* through memory */
		align_table(p);
		CODE(0x48, 0x8d, 0x05 | reg % 8 % 4 << 3);
		put_word(p, p->tables + 16 + p->table_used - (here(p) + 4));
		label_address_in_table(p, entry_of(callee));
		CODE(0xff, 0x10 | reg % 8 % 4);
		break;
	case 2: /* retpoline */
		put_label_address(p, 0, entry_of(callee), true);
		CODE(0xe8); put_word(p, 2);                 /* call 2f */
		CODE(0xeb, 17);                             /* jmp 4f */
		CODE(0xe8); put_word(p, 7);                 /* 2: call 3f */
		MORE(0xf3, 0x90);                           /* 1: pause */
		MORE(0x0f, 0xae, 0xe8);                     /* lfence */
		MORE(0xeb, 0xf9);                           /* jmp 1b */
		CODE(0x48, 0x89, 0x04, 0x24);               /* 3: mov %rax, (%rsp) */
		CODE(0xc3);                                 /* ret */
		break;                                      /* 4: */
	default:
		CODE(0xe8);
		label_distance(p, entry_of(callee));
	}
	if (chance(6))
		item_checkpoint(p);
}

static void put_item(struct program *p, const struct shape *s)
{
	static void (*const items[])(struct program *) = {item_checkpoint, item_red_zone, item_push_pop, item_flags, item_fault, item_skip, item_overlap, item_call_pop};
	unsigned k = random_below(24);
	if (k < sizeof items / sizeof *items)
		items[k](p);
	else if (k < 11 && !s->leaf)
		item_call(p);
	else
		put_random_instruction(p);
}

/* --- Ends of a block */

static uint32_t some_block(const struct shape *s)
{
	return s->first_label + random_below(s->blocks);
}

static void end_return(struct program *p, const struct shape *s)
{
	if (s->leaf)
		CODE(0xc9);                                 /* leave */
	if (s->arguments)
		CODE(0xc2, 8 * s->arguments, 0);
	else if (chance(4))
		CODE(0xf3, 0xc3);
	else
		CODE(0xc3);
}

/* Only to what takes nothing off the stack that wasn't put there. */
static void end_tail_call(struct program *p, const struct shape *s)
{
	const struct shape *callee = &shapes[random_below(shape_count)];
	unsigned reg = some_register();
	if (s->leaf || callee->arguments != s->arguments) {
		end_return(p, s);
		return;
	}
	switch (random_below(3)) {
	case 0:
		put_label_address(p, reg, entry_of(callee), chance(2));
		put_indirect(p, reg, false);
		break;
	case 1:
		put_branch(p, entry_of(callee));
		end_return(p, s);
		break;
	default:
		put_jump(p, entry_of(callee));
	}
}

/* Tables of 32-bit distances (read-only or in the text) and of addresses; with or without a bound that compilers would check. */
static void end_switch(struct program *p, const struct shape *s)
{
	unsigned cases = 1 << (1 + random_below(3)), index = random_below(2), base = 2 + random_below(2), sum = 6;
	bool in_text = chance(3), addresses = !in_text && chance(2);
	align_table(p);
	put_fuel(p);
	CODE(0x0f, 0xb6, 0xc0 | index << 3 | index);      /* movzbl %index8, %index */
	CODE(0x83, 0xe0 | index, cases - 1);               /* and $cases - 1, %index */
	CODE(0x48, 0x8d, 0x05 | base << 3);               /* lea table(%rip), %base */
	uint32_t at = p->used;
	put_word(p, p->tables + 16 + p->table_used - (here(p) + 4));
	if (addresses) {
		CODE(0xff, 0x24, 0xc0 | index << 3 | base);   /* jmp *(%base,%index,8) */
		for (unsigned i = 0; i < cases; i++)
			label_address_in_table(p, some_block(s));
		return;
	}
	CODE(0x48, 0x63, 0x04 | sum << 3, 0x80 | index << 3 | base); /* movslq (%base,%index,4), %sum */
	CODE(0x48, 0x01, 0xc0 | base << 3 | sum);         /* add %base, %sum */
	if (chance(2))
		CODE(0x3e, 0xff, 0xe0 | sum);
	else
		CODE(0xff, 0xe0 | sum);
	if (in_text) {
		uint32_t distance = p->used - (at + 4);
		memcpy(p->bytes + at, &distance, 4);
	}
	uint32_t table = in_text ? p->used : p->table_used;
	for (unsigned i = 0; i < cases; i++) {
		if (in_text)
			label_distance_from(p, some_block(s), table);
		else
			label_in_table(p, some_block(s), table);
	}
}

static void end_computed(struct program *p, const struct shape *s)
{
	unsigned reg = some_register();
	put_fuel(p);
	put_label_address(p, reg, some_block(s), chance(2));
	if (chance(3)) {
		CODE(0x40 | (reg & 8) >> 3, 0x50 | (reg & 7)); /* push; ret */
		CODE(0xc3);
	} else {
		put_indirect(p, reg, false);
	}
}

/* To any instruction of any procedure. */
static void end_anywhere(struct program *p, const struct shape *s)
{
	unsigned reg = some_register();
	(void)s;
	put_fuel(p);
	put_label_address(p, reg, LABEL_ANYWHERE, false);
	put_indirect(p, reg, chance(4));
}

static void end_branch(struct program *p, const struct shape *s)
{
	put_fuel(p);
	put_branch(p, some_block(s));
	put_jump(p, some_block(s));
}

static void end_jump(struct program *p, const struct shape *s)
{
	put_fuel(p);
	put_jump(p, some_block(s));
}

static void put_end(struct program *p, const struct shape *s, bool may_fall)
{
	static void (*const ends[])(struct program *, const struct shape *) = {
		end_return, end_return, end_tail_call, end_switch, end_switch, end_computed, end_branch, end_branch, end_branch, end_jump,
	};
	if (may_fall && chance(2)) {
		if (chance(2)) {
			put_fuel(p);
			put_branch(p, some_block(s));
		}
		return;
	}
	if (!s->leaf && chance(12))
		end_anywhere(p, s);
	else if (s->leaf) /* no address of its blocks gets about */
		(chance(2) ? end_return : end_branch)(p, s);
	else
		ends[random_below(sizeof ends / sizeof *ends)](p, s);
}

static void put_block(struct program *p, const struct shape *s, unsigned block, bool may_fall)
{
	label_here(p, s->first_label + block);
	bool closed = s->leaf; /* nobody else may come in: its frame pointer must be its own */
	uint32_t from = p->used;
	for (unsigned i = random_below(6); i; i--)
		put_item(p, s);
	put_end(p, s, may_fall);
	if (!closed)
		labels_open(p, from, p->used);
}

static void put_procedure(struct program *p, const struct shape *s)
{
	begin_procedure(p, !chance(10));
	uint32_t entry = p->used;
	if (s->marked)
		CODE(0xf3, 0x0f, 0x1e, 0xfa);
	label_at(p, entry_of(s), entry);
	put_fuel(p);
	if (s->leaf)
		CODE(0x55), MORE(0x48, 0x89, 0xe5);           /* push %rbp; mov %rsp, %rbp */
	for (unsigned b = 0; b < s->blocks; b++)
		if (!s->cold[b]) {
			bool last = b + 1 == s->blocks || s->cold[b + 1];
			put_block(p, s, b, !last);
		}
	end_procedure(p);
	for (unsigned i = random_below(3) ? random_below(16) : 0; i; i--)
		MORE(chance(2) ? 0x90 : 0xcc);
}

static void put_cold_blocks(struct program *p, const struct shape *s)
{
	for (unsigned b = 0; b < s->blocks; b++)
		if (s->cold[b]) {
			begin_procedure(p, !chance(10));
			put_block(p, s, b, false);
			end_procedure(p);
		}
}

static void make_shape(struct shape *s, unsigned number)
{
	*s = (struct shape){.first_label = number * (BLOCKS_MAX + 1), .blocks = 1 + random_below(BLOCKS_MAX - 1), .marked = chance(2)};
	s->arguments = chance(8) ? 1 + random_below(3) : 0;
	s->leaf = chance(6);
	for (unsigned b = 1; b < s->blocks; b++)
		s->cold[b] = chance(6);
}

/* call a procedure; call another; jmp *leave */
static void put_case(struct program *p)
{
	begin_procedure(p, true);
	begin_case(p);
	for (int i = 0; i < 2; i++) {
		const struct shape *callee = &shapes[random_below(shape_count)];
		for (unsigned k = 0; k < callee->arguments; k++)
			CODE(0x50);
		CODE(0xe8);
		label_distance(p, entry_of(callee));
	}
	put_leave(p);
	end_procedure(p);
}

void generate_graphs(struct program *p, unsigned procedures)
{
	static struct shape all[1 << 14];
	p->depth = STACK_SIZE - 4096;
	shapes = all;
	shape_count = procedures < 1 ? 1 : procedures > 1 << 14 ? 1 << 14 : procedures;
	labels_init(shape_count * (BLOCKS_MAX + 1));
	for (unsigned i = 0; i < shape_count; i++)
		make_shape(&shapes[i], i);
	for (unsigned i = 0; i < shape_count; i++)
		put_procedure(p, &shapes[i]);
	for (unsigned i = 0; i < shape_count; i++)
		put_cold_blocks(p, &shapes[i]);
	for (unsigned i = 0; i < 2 * shape_count; i++)
		put_case(p);
	labels_resolve(p);
}
