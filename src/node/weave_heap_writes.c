#include "node/weave_heap_writes.h"

#include <stdlib.h>

#include "base/log.h"
#include "engine/write_sites.h"
#include "node/allocator.h"
#include "node/supervisor.h"

/* What the code at a site works with; in cold code's data, so it fits into 32 bits. */
struct means {
	uint8_t reg;      /* holds the address, then its place in the map */
	bool is_spilled;  /* reg is live: saved meanwhile */
	uint8_t flags;    /* enum flags_means */
};
enum flags_means { FLAGS_DEAD, FLAGS_IN_RAX, FLAGS_IN_LIVE_RAX, FLAGS_PUSHED };

enum { ROOM = 224, CONDITION_NOT_EQUAL = 5, CONDITION_GREATER = 15, FRAME = 144, FRAME_RAX = 8, POINTS_MAX = 2 };

struct heap_writes {
	struct inline_weaver weaver;
	struct range allocator; /* its procedures: module offsets */
};

/* --- Where. */

static void plan(const struct inline_weaver *w, const struct inline_code *c, uint8_t *marks, uint8_t mark)
{
	const struct heap_writes *h = w->context;
	uint64_t entry = c->procedure->entry;
	if (entry >= h->allocator.start && entry < h->allocator.end)
		return;
	write_sites_mark(c->procedure, c->effects, marks, mark);
}

/* --- With what. */

static uint16_t operand_mask(const struct effects *e)
{
	return (e->base < REG_COUNT ? 1u << e->base : 0) | (e->index < REG_COUNT ? 1u << e->index : 0);
}

/* Neither rsp nor r12: as a base they take a byte more, and another form. */
static uint16_t usable(uint16_t mask, uint16_t taken)
{
	return mask & ~taken & ~(1u << REG_RSP | 1u << REG_R12);
}

static struct means choose(const struct inline_code *c)
{
	const struct effects *e = &c->effects[c->insn];
	struct live live = c->live[c->insn];
	uint16_t taken = operand_mask(e);
	struct means m = {.flags = FLAGS_DEAD};
	if (live.flags)
		m.flags = taken & 1u << REG_RAX ? FLAGS_PUSHED : live.registers & 1u << REG_RAX ? FLAGS_IN_LIVE_RAX : FLAGS_IN_RAX;
	if (m.flags != FLAGS_DEAD)
		taken |= 1u << REG_RAX;
	uint16_t dead = usable(~live.registers, taken);
	m.is_spilled = !dead;
	m.reg = __builtin_ctz(dead ? dead : usable(0xffff, taken));
	return m;
}

static bool has_frame(const struct means *m)
{
	return m->is_spilled || m->flags >= FLAGS_IN_LIVE_RAX;
}

static uint32_t pack(const struct means *m, unsigned point)
{
	return m->reg | m->is_spilled << 8 | m->flags << 9 | point << 11;
}

static struct means unpack(uint32_t data)
{
	return (struct means){data & 15, data >> 8 & 1, data >> 9 & 3};
}

/* --- Code. All of it leaves the flags alone but where it says so. */

static void emit_stack(struct emitter *e, uint8_t opcode, uint8_t reg, uint8_t disp)
{
	emit_bytes(e, (uint8_t[]){0x48 | (reg & 8) >> 1, opcode, 0x44 | (reg & 7) << 3, 0x24, disp}, 5); /* mov between reg and disp(%rsp) */
}
enum { LOAD = 0x8b, STORE = 0x89 };

static void emit_begin(struct emitter *e, const struct means *m)
{
	if (has_frame(m))
		emit_lea(e, REG_RSP, REG_RSP, -FRAME); /* below the red zone */
	if (m->is_spilled)
		emit_stack(e, STORE, m->reg, 0);
	if (m->flags == FLAGS_IN_LIVE_RAX)
		emit_stack(e, STORE, REG_RAX, FRAME_RAX);
	if (m->flags == FLAGS_PUSHED)
		emit_u8(e, 0x9c);                                                    /* pushfq */
	else if (m->flags != FLAGS_DEAD)
		emit_bytes(e, (uint8_t[]){0x9f, 0x0f, 0x90, 0xc0}, 4);               /* lahf; seto %al */
}

static void emit_finish(struct emitter *e, const struct means *m)
{
	if (m->flags == FLAGS_PUSHED)
		emit_u8(e, 0x9d);                                                    /* popfq */
	else if (m->flags != FLAGS_DEAD)
		emit_bytes(e, (uint8_t[]){0x04, 0x7f, 0x9e}, 3);                     /* add $127, %al; sahf */
	if (m->flags == FLAGS_IN_LIVE_RAX)
		emit_stack(e, LOAD, REG_RAX, FRAME_RAX);
	if (m->is_spilled)
		emit_stack(e, LOAD, m->reg, 0);
	if (has_frame(m))
		emit_lea(e, REG_RSP, REG_RSP, FRAME);
}

/* lea disp(base, index, scale), reg */
static void emit_address(struct emitter *e, uint8_t reg, const struct write_point *p)
{
	uint8_t index = p->index == REG_NONE ? 4 : p->index, base = p->base == REG_NONE ? 5 : p->base;
	bool small = p->base != REG_NONE && p->displacement == (int8_t)p->displacement;
	uint8_t mode = p->base == REG_NONE ? 0 : small ? 0x40 : 0x80;
	bool needs_sib = p->index != REG_NONE || p->base == REG_NONE || (p->base & 7) == 4;
	uint8_t rex = 0x48 | (reg & 8) >> 1 | (p->index != REG_NONE ? (index & 8) >> 2 : 0) | (p->base != REG_NONE ? (base & 8) >> 3 : 0);
	emit_bytes(e, (uint8_t[]){rex, 0x8d, mode | (reg & 7) << 3 | (needs_sib ? 4 : base & 7)}, 3);
	if (needs_sib)
		emit_u8(e, __builtin_ctz(p->scale) << 6 | (index & 7) << 3 | (base & 7));
	if (small)
		emit_u8(e, p->displacement);
	else
		emit_u32(e, p->displacement);
}

static void emit_shift(struct emitter *e, uint8_t reg)
{
	emit_bytes(e, (uint8_t[]){0x48 | (reg & 8) >> 3, 0xc1, 0xe8 | (reg & 7), HEAP_CHECK_BITS}, 4); /* shr $4, %reg */
}

/* cmpb $0, HEAP_CHECK_MAP(%reg) */
static void emit_look(struct emitter *e, uint8_t reg)
{
	if (reg & 8)
		emit_u8(e, 0x41);
	emit_bytes(e, (uint8_t[]){0x80, 0xb8 | (reg & 7)}, 2);
	emit_u32(e, HEAP_CHECK_MAP);
	emit_u8(e, 0);
}

static void emit_check(const struct inline_weaver *w, struct inline_code *c)
{
	struct write_point points[POINTS_MAX];
	unsigned count = write_points(&c->effects[c->insn], points);
	struct means m = choose(c);
	emit_begin(c->e, &m);
	for (unsigned i = 0; i < count; i++) {
		emit_address(c->e, m.reg, &points[i]);
		emit_shift(c->e, m.reg);
		emit_look(c->e, m.reg);
		inline_branch_cold(c, CONDITION_NOT_EQUAL, pack(&m, i));
	}
	emit_finish(c->e, &m);
}

/* The 16 bytes belong to the program up to the byte that the map says: is the one written before it?
 *
 *     movsbl map(%reg), %reg;  keep it;  lea address, %reg;  and $15, %reg;  cmp %reg, kept;  jg back */
static void emit_partial(struct emitter *e, const struct means *m, const struct write_point *p, uint64_t back)
{
	uint8_t reg = m->reg, high = (reg & 8) >> 3;
	emit_bytes(e, (uint8_t[]){0x40 | high << 2 | high, 0x0f, 0xbe, 0x80 | (reg & 7) << 3 | (reg & 7)}, 4);
	emit_u32(e, HEAP_CHECK_MAP);
	emit_lea(e, REG_RSP, REG_RSP, -FRAME);
	emit_stack(e, STORE, reg, 0);
	emit_address(e, reg, p);
	emit_bytes(e, (uint8_t[]){0x40 | high, 0x83, 0xe0 | (reg & 7), 15}, 4);
	emit_bytes(e, (uint8_t[]){0x40 | high << 2, 0x39, 0x44 | (reg & 7) << 3, 0x24, 0}, 5);
	emit_lea(e, REG_RSP, REG_RSP, FRAME);
	emit_branch(e, CONDITION_GREATER, back);
}

/* The trap, and behind it what is about to be written. */
static void emit_trap(struct emitter *e, const struct effects *what, uint64_t moved)
{
	int32_t distance = moved - emit_here(e);
	struct strict_write write = {what->base, what->index, what->scale, what->size, what->displacement, what->write == WRITE_STRING, {0}};
	emit_bytes(e, (uint8_t[]){STRICT_TRAP_0, STRICT_TRAP_1, STRICT_TRAP_2 | STRICT_WRITE << 3}, 3); /* ud1 distance(%rax), %ecx */
	emit_u32(e, distance);
	emit_bytes(e, &write, sizeof write);
}

static void emit_slow(const struct inline_weaver *w, struct inline_code *c, const struct inline_cold *cold)
{
	struct write_point points[POINTS_MAX];
	struct means m = unpack(cold->data);
	write_points(&c->effects[c->insn], points);
	emit_partial(c->e, &m, &points[cold->data >> 11], cold->back);
	emit_finish(c->e, &m);
	emit_trap(c->e, &c->effects[c->insn], cold->moved);
}

/* --- The weaver. */

void weave_heap_writes_begin(struct family *f)
{
	f->image.tables->heap_checks = f->supervisor->options.strict & STRICT_HEAP && !f->supervisor->options.no_heap;
}

void weave_heap_writes_module_loaded(struct family *f, struct loaded *l)
{
	if (!f->image.tables->heap_checks || l->heap_writes)
		return;
	struct heap_writes *h = calloc(1, sizeof *h);
	if (!h)
		abort();
	h->weaver = (struct inline_weaver){false, false, ROOM, h, plan, emit_check, emit_slow, "writes"};
	h->allocator = allocator_procedures(l->module);
	if (h->allocator.end)
		log_debug("%s: its allocator lies at %#lx-%#lx", l->module->path, h->allocator.start, h->allocator.end);
	l->heap_writes = h;
	l->inlined[l->inlined_count++] = &h->weaver;
}

void weave_heap_writes_module_unloaded(struct loaded *l)
{
	free(l->heap_writes);
	l->heap_writes = NULL;
}

bool weave_heap_writes_is_allocator(const struct loaded *l, uint64_t offset)
{
	return l->heap_writes && offset >= l->heap_writes->allocator.start && offset < l->heap_writes->allocator.end;
}
