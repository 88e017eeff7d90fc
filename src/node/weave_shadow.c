#include "node/weave_shadow.h"

#include <stdlib.h>
#include <sys/auxv.h>

#include "base/log.h"
#include "engine/return_sites.h"
#include "node/supervisor.h"

enum { NOTE_ROOM = 48, CHECK_ROOM = 48, CONDITION_NOT_EQUAL = 5, RED_ZONE_WORD = -8 };

struct shadow {
	struct inline_weaver note, check;
	VEC(uint64_t) exceptions; /* offsets of `ret`s that don't return, and entries of procedures that are not watched */
};

static bool is_exception(const struct shadow *s, uint64_t offset)
{
	for (size_t i = 0; i < s->exceptions.count; i++)
		if (s->exceptions.at[i] == offset)
			return true;
	return false;
}

static bool is_watched(const struct shadow *s, const struct procedure *p, const struct effects *effects)
{
	return returns_need_watch(p, effects) && !is_exception(s, p->entry);
}

static void plan_note(const struct inline_weaver *w, const struct inline_code *c, uint8_t *marks, uint8_t mark)
{
	const struct procedure *p = c->procedure;
	if (is_watched(w->context, p, c->effects))
		marks[p->blocks[p->entry_block].first] |= mark;
}

static void plan_check(const struct inline_weaver *w, const struct inline_code *c, uint8_t *marks, uint8_t mark)
{
	const struct procedure *p = c->procedure;
	if (!is_watched(w->context, p, c->effects))
		return;
	for (size_t i = 0; i < p->insn_count; i++)
		if (p->insns[i].flow == FLOW_RETURN && return_is_plain(p, c->effects, i) && !is_exception(w->context, p->insns[i].address))
			marks[i] |= mark;
}

/* Loads, stores and comparisons of a register with disp8(%rsp), in the segment with that prefix (0: the stack itself). */
static void emit_stack_word(struct emitter *e, uint8_t segment, uint8_t opcode, uint8_t reg, int8_t disp)
{
	if (segment)
		emit_u8(e, segment);
	emit_bytes(e, (uint8_t[]){0x48 | (reg & 8) >> 1, opcode, 0x44 | (reg & 7) << 3, 0x24, disp}, 5);
}
enum { SEGMENT_GS_PREFIX = 0x65, LOAD = 0x8b, STORE = 0x89, COMPARE = 0x39 };

/* Without a free register one is kept in the shadow of the red zone: nobody but us writes there. */
static void emit_note(const struct inline_weaver *w, struct inline_code *c)
{
	uint16_t free = ~c->live[c->insn].registers & ~(1u << REG_RSP);
	uint8_t reg = free ? __builtin_ctz(free) : REG_R11;
	if (!free)
		emit_stack_word(c->e, SEGMENT_GS_PREFIX, STORE, reg, GUEST_SHADOW_AT + RED_ZONE_WORD); /* mov %r11, %gs:-128(%rsp) */
	emit_stack_word(c->e, 0, LOAD, reg, 0);                                                /* mov (%rsp), %reg */
	emit_stack_word(c->e, SEGMENT_GS_PREFIX, STORE, reg, GUEST_SHADOW_AT);                 /* mov %reg, %gs:-120(%rsp) */
	if (!free)
		emit_stack_word(c->e, SEGMENT_GS_PREFIX, LOAD, reg, GUEST_SHADOW_AT + RED_ZONE_WORD);
}

/* Right before a return the red zone is dead, as are the flags. */
static void emit_check(const struct inline_weaver *w, struct inline_code *c)
{
	emit_stack_word(c->e, 0, STORE, REG_RCX, RED_ZONE_WORD);                     /* mov %rcx, -8(%rsp) */
	emit_stack_word(c->e, 0, LOAD, REG_RCX, 0);                                  /* mov (%rsp), %rcx */
	emit_stack_word(c->e, SEGMENT_GS_PREFIX, COMPARE, REG_RCX, GUEST_SHADOW_AT); /* cmp %rcx, %gs:-120(%rsp) */
	emit_stack_word(c->e, 0, LOAD, REG_RCX, RED_ZONE_WORD);                      /* mov -8(%rsp), %rcx */
	inline_branch_cold(c, CONDITION_NOT_EQUAL, 0);                               /* jne cold */
}

static void emit_differs(const struct inline_weaver *w, struct inline_code *c, const struct inline_cold *cold)
{
	int32_t distance = cold->moved - emit_here(c->e);
	emit_bytes(c->e, (uint8_t[]){STRICT_TRAP_0, STRICT_TRAP_1, STRICT_TRAP_2 | STRICT_RETURN << 3}, 3); /* ud1 distance(%rax), %eax */
	emit_u32(c->e, distance);
}

/* The gs base can be set by programs where the kernel lets them use the instruction. */
static bool can_set_gs(void)
{
	enum { HWCAP2_GS_BASE = 2 };
	return getauxval(AT_HWCAP2) & HWCAP2_GS_BASE;
}

void weave_shadow_begin(struct family *f)
{
	if (!(f->supervisor->options.strict & STRICT_SHADOW))
		return;
	if (can_set_gs())
		f->image.tables->shadow = f->plan.shadow = GUEST_SHADOW_BASE;
	else
		log_warning("%s: returns can't be watched: this machine doesn't let programs set the gs base", f->program);
}

void weave_shadow_module_loaded(struct family *f, struct loaded *l)
{
	if (!f->image.tables->shadow || l->shadow)
		return;
	struct shadow *s = calloc(1, sizeof *s);
	if (!s)
		abort();
	s->note = (struct inline_weaver){true, true, NOTE_ROOM, s, plan_note, emit_note, NULL, "shadow"};
	s->check = (struct inline_weaver){true, false, CHECK_ROOM, s, plan_check, emit_check, emit_differs, "returns"};
	l->shadow = s;
	l->inlined[l->inlined_count++] = &s->note;
	l->inlined[l->inlined_count++] = &s->check;
}

void weave_shadow_module_unloaded(struct loaded *l)
{
	if (l->shadow)
		vec_free(&l->shadow->exceptions);
	free(l->shadow);
	l->shadow = NULL;
	l->inlined_count = 0;
}

bool weave_shadow_except(struct family *f, struct loaded *l, uint64_t offset)
{
	if (!l->shadow || is_exception(l->shadow, offset))
		return false;
	log_debug("%s+%#lx isn't watched by the shadow any more", l->module->path, offset);
	vec_push(&l->shadow->exceptions, offset);
	image_weave_again(&f->image, l, offset);
	return true;
}

bool weave_shadow_make_room(struct family *f, uint64_t address)
{
	struct loaded *l = image_module_at(&f->image, address);
	struct redirected *r = l && l->shadow ? image_redirected(l, address - l->bias) : NULL;
	return r && !returns_elsewhere(r->procedure) && weave_shadow_except(f, l, r->procedure->entry);
}

bool weave_shadow_tick(struct family *f)
{
	enum { MANY = 500 };
	uint64_t count = f->image.shared->unnoted_returns;
	uint64_t original = count - f->unnoted_seen > MANY ? image_original(&f->image, f->image.shared->last_unnoted) : 0;
	struct loaded *l = original ? image_module_at(&f->image, original) : NULL;
	f->unnoted_seen = count;
	return l && weave_shadow_except(f, l, original - l->bias);
}
