#include "engine/copy.h"

#include <errno.h>
#include <stdlib.h>

#include "base/vec.h"
#include "engine/weave_inline.h"
#include "x86/emit.h"

enum { PROBE_FRAME = 136 }; /* red zone and probe number: what a probe's code has pushed when it comes back */
enum { GATE_ROOM = 5, GATE_ALIGNMENT = 16, NEAR_MAX = 128 };

struct fixup {
	size_t at;       /* offset of the displacement in the copy */
	uint64_t target; /* module offset */
	uint32_t insn;
	bool is_short;   /* 8 bits */
};

struct emission {
	const struct procedure *p;
	struct zone *z;
	struct copy *copy;
	struct emitter e;
	struct inline_weaving *inlined; /* NULL: none */
	VEC(struct fixup) fixups;
	bool *is_long;   /* by instruction: its branch needs a 32-bit displacement */
};

static const struct copy_entry *entry_of(const struct emission *m, uint64_t offset)
{
	const struct insn *i = procedure_insn(m->p, offset);
	return i ? &m->copy->entries[i - m->p->insns] : NULL;
}

/* The displacement to where an original address goes on: its copy, or, when it isn't in this copy, the original. */
static void emit_target(struct emission *m, uint64_t target)
{
	if (!procedure_insn(m->p, target)) {
		emit_displacement(&m->e, target + m->copy->bias);
		return;
	}
	vec_push(&m->fixups, (struct fixup){.at = m->e.used, .target = target});
	emit_u32(&m->e, 0);
}

static void emit_near_target(struct emission *m, const struct insn *i)
{
	vec_push(&m->fixups, (struct fixup){m->e.used, i->target, i - m->p->insns, true});
	emit_u8(&m->e, 0);
}

/* jcc short over; jmp target: for the branches that have only an 8-bit form. */
static void emit_short_only_branch(struct emission *m, const struct insn *i, const uint8_t *bytes)
{
	emit_bytes(&m->e, bytes, i->length - 1);
	emit_u8(&m->e, 2);                        /* taken: +2 */
	emit_bytes(&m->e, (uint8_t[]){0xeb, 5}, 2); /* not taken: jmp +5 */
	emit_u8(&m->e, 0xe9);
	emit_target(m, i->target);
}

static void emit_moved(struct emission *m, const struct insn *i, const uint8_t *bytes)
{
	size_t at = m->e.used;
	emit_bytes(&m->e, bytes, i->length);
	if (!i->rip_offset || m->e.failed)
		return;
	int64_t distance = i->target + m->copy->bias - emit_here(&m->e);
	int32_t word = distance;
	if (distance != word)
		m->e.failed = true;
	memcpy(m->e.bytes + at + i->rip_offset, &word, 4);
}

/* push $address: low half sign-extended, then the high half put in place. */
static void emit_push_address(struct emission *m, uint64_t address)
{
	emit_u8(&m->e, 0x68);                                          /* push $low */
	emit_u32(&m->e, address);
	emit_bytes(&m->e, (uint8_t[]){0xc7, 0x44, 0x24, 0x04}, 4); /* movl $high, 4(%rsp) */
	emit_u32(&m->e, address >> 32);
}

/* Index of the opcode of `call r/m64` (ff /2), behind its prefixes; -1 if it is no such call, or one of 16 bits. */
static int indirect_call_opcode(const uint8_t *bytes, unsigned length)
{
	static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0xf2, 0xf3};
	unsigned at = 0;
	bool narrow = false;
	for (; at < length && (memchr(prefixes, bytes[at], sizeof prefixes) || (bytes[at] & 0xf0) == 0x40); at++)
		narrow = bytes[at] == 0x66 || (narrow && (bytes[at] & 0xf8) != 0x48);
	return !narrow && at + 1 < length && bytes[at] == 0xff && (bytes[at + 1] & 0x38) == 0x10 ? (int)at : -1;
}

/* push r/m64 (the target, its operand read as the call would); push (%rsp); the return address over the first; ret. */
static void emit_emulated_indirect_call(struct emission *m, const struct insn *i, const uint8_t *bytes)
{
	enum { OPCODE_PUSH = 6 << 3 };
	uint8_t push[16];
	uint64_t behind = insn_end(i) + m->copy->bias;
	int opcode = indirect_call_opcode(bytes, i->length);
	memcpy(push, bytes, i->length);
	push[opcode + 1] = (push[opcode + 1] & ~0x38) | OPCODE_PUSH;
	emit_moved(m, i, push);
	emit_bytes(&m->e, (uint8_t[]){0xff, 0x34, 0x24}, 3);       /* push (%rsp) */
	emit_bytes(&m->e, (uint8_t[]){0xc7, 0x44, 0x24, 0x08}, 4); /* movl $low, 8(%rsp) */
	emit_u32(&m->e, behind);
	emit_bytes(&m->e, (uint8_t[]){0xc7, 0x44, 0x24, 0x0c}, 4); /* movl $high, 12(%rsp) */
	emit_u32(&m->e, behind >> 32);
	emit_u8(&m->e, 0xc3);                                          /* ret */
}

/* An entry of one byte has no room for a springboard in front of a call that stays, and with something woven into it can't stay itself. */
static bool squeezes_entry(const struct emission *m, const struct insn *i)
{
	size_t k = i - m->p->insns;
	const struct insn *entry = k ? i - 1 : i;
	return k && entry->address == m->p->entry && entry->length == 1 && insn_end(entry) == i->address && m->copy->entries[k - 1].woven;
}

/* Two ways to read the same bytes; at most one of them is what the program executes, and nobody knows which. */
static bool is_overlapped(const struct procedure *p, size_t k)
{
	enum { LONGEST = 15 };
	const struct insn *i = &p->insns[k];
	if (k + 1 < p->insn_count && p->insns[k + 1].address < insn_end(i))
		return true;
	for (size_t before = k; before-- > 0 && p->insns[before].address + LONGEST > i->address;)
		if (insn_end(&p->insns[before]) > i->address)
			return true;
	return false;
}

/* A call with a probe before it. In place it could be reached without passing the probe: it may be a procedure's first instruction, or stand behind
 * another call. So its original bytes become dead, and the copy does what it does, with the original return address. One that other code overlaps
 * would keep bytes from becoming a springboard behind the call that is really there. */
static bool is_emulated(const struct emission *m, const struct insn *i, const struct copy_entry *e)
{
	return (e->woven || e->overlapped || squeezes_entry(m, i)) && (i->flow == FLOW_CALL || (i->flow == FLOW_CALL_INDIRECT && indirect_call_opcode(procedure_bytes(m->p, i), i->length) >= 0));
}

static void emit_emulated_call(struct emission *m, const struct insn *i)
{
	if (i->flow == FLOW_CALL_INDIRECT) {
		emit_emulated_indirect_call(m, i, procedure_bytes(m->p, i));
		return;
	}
	emit_push_address(m, insn_end(i) + m->copy->bias);
	emit_jump(&m->e, i->target + m->copy->bias);
}

/* In what emit_emulated_call makes. */
bool copy_return_address(const struct copy *c, size_t insn, uint32_t *low, uint32_t *high)
{
	enum { PUSHED_LOW = 1, PUSHED_HIGH = 9, MOVED_LOW = 7, MOVED_HIGH = 15 };
	const struct insn *i = &c->procedure->insns[insn];
	const struct copy_entry *e = &c->entries[insn];
	if (!insn_is_call(i) || e->in_place)
		return false;
	*low = e->moved + (i->flow == FLOW_CALL_INDIRECT ? i->length + MOVED_LOW : PUSHED_LOW);
	*high = e->moved + (i->flow == FLOW_CALL_INDIRECT ? i->length + MOVED_HIGH : PUSHED_HIGH);
	return true;
}

static void emit_insn(struct emission *m, const struct insn *i)
{
	const uint8_t *bytes = procedure_bytes(m->p, i);
	bool is_long = m->is_long[i - m->p->insns];
	switch (i->flow) {
	case FLOW_CALL:
	case FLOW_CALL_INDIRECT:
		emit_jump(&m->e, i->address + m->copy->bias); /* runs in place */
		break;
	case FLOW_JUMP:
		emit_u8(&m->e, is_long ? 0xe9 : 0xeb);
		if (is_long)
			emit_target(m, i->target);
		else
			emit_near_target(m, i);
		break;
	case FLOW_BRANCH:
		if (!is_long) {
			emit_bytes(&m->e, i->condition == 0xff ? bytes : (uint8_t[]){0x70 | i->condition}, i->condition == 0xff ? i->length - 1 : 1);
			emit_near_target(m, i);
		} else if (i->condition == 0xff) {
			emit_short_only_branch(m, i, bytes);
		} else {
			emit_bytes(&m->e, (uint8_t[]){0x0f, 0x80 | i->condition}, 2);
			emit_target(m, i->target);
		}
		break;
	case FLOW_XBEGIN:
		emit_bytes(&m->e, (uint8_t[]){0xc7, 0xf8}, 2);
		emit_target(m, i->target);
		break;
	default:
		emit_moved(m, i, bytes);
	}
}

static void emit_probe(struct emission *m, const struct weave *w)
{
	emit_bytes(&m->e, (uint8_t[]){0x48, 0x8d, 0x64, 0x24, 0x80}, 5); /* lea -128(%rsp), %rsp */
	emit_u8(&m->e, 0x68);                                             /* push $probe */
	emit_u32(&m->e, w->probe);
	emit_u8(&m->e, 0xe8);                                             /* call the zone's probe stub */
	emit_displacement(&m->e, m->z->stub_probe);
	emit_lea(&m->e, REG_RSP, REG_RSP, PROBE_FRAME);
}

/* The probe's other way on, out of line: drop its frame, then behind the instruction. */
static void emit_resume_behind(struct emission *m, struct weave *w)
{
	const struct insn *i = procedure_insn(m->p, w->offset);
	w->resume_address = emit_here(&m->e);
	emit_lea(&m->e, REG_RSP, REG_RSP, PROBE_FRAME);
	emit_u8(&m->e, 0xe9);
	emit_target(m, insn_end(i));
}

/* The same, to the original instruction. */
static void emit_resume_text(struct emission *m, struct weave *w)
{
	w->resume_address = emit_here(&m->e);
	emit_lea(&m->e, REG_RSP, REG_RSP, PROBE_FRAME);
	emit_jump(&m->e, w->offset + m->copy->bias);
}

static void emit_resume_return(struct emission *m, struct weave *w)
{
	struct cfi_rule rule;
	w->resume_address = cfi_rule(m->p->module, w->offset, &rule) ? 0 : emit_return(m->z, &rule, PROBE_FRAME);
}

static void emit_probes(struct emission *m, uint64_t offset, enum weave_place place, struct weave **next, const struct weave *end)
{
	for (struct weave *w = *next; w < end && w->offset == offset; w++)
		if (w->place == place)
			emit_probe(m, w);
}

static void note_detour(struct emission *m, struct weave *weaves, size_t count)
{
	for (struct weave *w = weaves; w < weaves + count; w++)
		if (w->place == WEAVE_DETOUR && w->offset == m->p->entry) {
			m->copy->detour = w->detour;
			w->resume_address = m->copy->code + entry_of(m, w->offset)->code;
		}
}

static uint32_t moved_insn(void *context, size_t insn)
{
	struct emission *m = context;
	return m->copy->entries[insn].moved;
}

static void note_cold(void *context, uint32_t code, uint32_t insn)
{
	struct emission *m = context;
	vec_push(&m->copy->cold, (struct copy_cold){code, insn});
}

static void emit_cold(struct emission *m)
{
	inline_emit_cold(m->inlined, moved_insn, note_cold, m);
}

/* Direct calls come in here. Room for a jump goes before it, and the first instruction gets at least two bytes: enough for a short jump to that one. */
static void emit_gate(struct emission *m, const struct insn *entry)
{
	while ((emit_here(&m->e) + GATE_ROOM) % GATE_ALIGNMENT)
		emit_u8(&m->e, 0xcc);
	for (int i = 0; i < GATE_ROOM; i++)
		emit_u8(&m->e, 0xcc);
	m->copy->gate = emit_here(&m->e);
	m->copy->entries[entry - m->p->insns].code = m->e.used;
	if (entry->length == 1)
		emit_bytes(&m->e, (uint8_t[]){0x66, 0x90}, 2);
}

/* In the copy, code runs from the instruction before into this one. */
static bool is_fallen_into(const struct emission *m, size_t k)
{
	const struct insn *i = &m->p->insns[k], *before = i - 1;
	return k && insn_end(before) == i->address && insn_falls_through(before) && !insn_is_call(before);
}

static void emit_all(struct emission *m, struct weave *weaves, size_t count)
{
	struct weave *next = weaves, *end = weaves + count;
	const struct procedure *p = m->p;
	for (size_t k = 0; k < p->insn_count; k++) {
		const struct insn *i = &p->insns[k];
		while (next < end && next->offset < i->address)
			next++;
		m->copy->entries[k] = (struct copy_entry){.offset = i->address,
							    .code = m->e.used,
							    .woven = (next < end && next->offset == i->address) || inline_is_woven(m->inlined, k),
							    .overlapped = is_overlapped(p, k)};
		if (i->address == p->entry && !is_fallen_into(m, k))
			emit_gate(m, i);
		bool emulated = is_emulated(m, i, &m->copy->entries[k]);
		m->copy->entries[k].in_place = insn_is_call(i) && !emulated;
		inline_emit(m->inlined, k, true);
		emit_probes(m, i->address, WEAVE_BEFORE, &next, end);
		inline_emit(m->inlined, k, false);
		m->copy->entries[k].moved = m->e.used;
		if (emulated)
			emit_emulated_call(m, i);
		else
			emit_insn(m, i);
		m->copy->entries[k].behind = m->e.used;
		emit_probes(m, i->address, WEAVE_AFTER, &next, end);
		bool next_follows = k + 1 < p->insn_count && p->insns[k + 1].address == insn_end(i);
		/* A breakpoint of the program's own: its handler returns to behind it, into code that no flow leads to. */
		bool handler_returns = i->flow == FLOW_STOP;
		if (handler_returns || (insn_falls_through(i) && !next_follows && !insn_is_call(i))) {
			emit_u8(&m->e, 0xe9);
			emit_target(m, insn_end(i));
		}
	}
	for (struct weave *w = weaves; w < end; w++)
		if (w->resume == RESUME_BEHIND && procedure_insn(p, w->offset))
			emit_resume_behind(m, w);
		else if (w->resume == RESUME_TEXT)
			emit_resume_text(m, w);
	emit_cold(m);
}

/* False: some branches turned out to need the long form. */
static bool resolve_fixups(struct emission *m)
{
	bool fits = true;
	for (size_t i = 0; i < m->fixups.count && !m->e.failed; i++) {
		const struct fixup *f = &m->fixups.at[i];
		uint32_t to = entry_of(m, f->target)->code;
		int64_t distance = (int64_t)to - (int64_t)(f->at + 1);
		if (!f->is_short)
			emit_patch_displacement(&m->e, f->at, m->copy->code + to);
		else if (distance >= -NEAR_MAX && distance < NEAR_MAX)
			m->e.bytes[f->at] = distance;
		else
			fits = false, m->is_long[f->insn] = true;
	}
	return fits;
}

/* Branches that are near in the original most often are in the copy. */
static void guess_lengths(struct emission *m)
{
	for (size_t k = 0; k < m->p->insn_count; k++) {
		const struct insn *i = &m->p->insns[k];
		int64_t distance = i->target - insn_end(i);
		m->is_long[k] = distance < -NEAR_MAX || distance >= NEAR_MAX || !procedure_insn(m->p, i->target);
	}
}

static size_t size_bound(const struct procedure *p, size_t weave_count)
{
	size_t bytes = 64 + GATE_ROOM + GATE_ALIGNMENT;
	for (size_t i = 0; i < p->insn_count; i++)
		bytes += p->insns[i].length + 24;
	return bytes + weave_count * 64;
}

/* As far as the emitter's room goes: it may have failed. */
static struct copy *emit_copy(struct emission *m, uint64_t bias, uint64_t code, struct weave *weaves, size_t weave_count)
{
	struct copy *c = m->copy = calloc(1, sizeof *c);
	if (!c || !(c->entries = calloc(m->p->insn_count, sizeof *c->entries)))
		abort();
	c->procedure = m->p;
	c->bias = bias;
	c->code = code;
	m->is_long = malloc(m->p->insn_count);
	if (!m->is_long)
		abort();
	guess_lengths(m);
	do {
		m->e.used = m->fixups.count = c->cold.count = 0;
		inline_restart(m->inlined);
		emit_all(m, weaves, weave_count);
	} while (!resolve_fixups(m));
	note_detour(m, weaves, weave_count);
	vec_free(&m->fixups);
	free(m->is_long);
	c->size = m->e.used;
	return c;
}

int copy_emit(const struct procedure *p, uint64_t bias, struct zone *z, struct weave *weaves, size_t weave_count, const struct inline_weaver *const *inlines,
	      size_t inline_count, struct copy **out)
{
	struct emission m = {.p = p, .z = z};
	m.inlined = inline_begin(p, inlines, inline_count, &m.e);
	size_t bound = size_bound(p, weave_count) + inline_room(m.inlined);
	uint64_t code = zone_reserve_for(z, bound, p->ranges[0].start + bias);
	if (!code) {
		inline_end(m.inlined);
		return -ENOSPC;
	}
	m.e = (struct emitter){zone_host(z, code), code, bound, 0, false};
	struct copy *c = emit_copy(&m, bias, code, weaves, weave_count);
	inline_end(m.inlined);
	zone_trim(z, m.e.failed ? code : emit_here(&m.e));
	if (m.e.failed) {
		copy_free(c);
		return -ERANGE;
	}
	for (size_t i = 0; i < weave_count; i++)
		if (weaves[i].resume == RESUME_RETURN)
			emit_resume_return(&m, &weaves[i]);
	*out = c;
	return 0;
}

int copy_emit_again(const struct procedure *p, uint64_t bias, struct zone *z, uint64_t code, const struct inline_weaver *const *inlines, size_t inline_count,
		    struct copy **out)
{
	struct emission m = {.p = p, .z = z};
	m.inlined = inline_begin(p, inlines, inline_count, &m.e);
	size_t bound = size_bound(p, 0) + inline_room(m.inlined);
	uint8_t *bytes = malloc(bound);
	if (!bytes)
		abort();
	m.e = (struct emitter){bytes, code, bound, 0, false};
	struct copy *c = emit_copy(&m, bias, code, NULL, 0);
	inline_end(m.inlined);
	bool same = !m.e.failed && zone_holds(z, code + c->size) && !memcmp(bytes, zone_host(z, code), c->size);
	free(bytes);
	if (!same) {
		copy_free(c);
		return -EILSEQ;
	}
	*out = c;
	return 0;
}

void copy_free(struct copy *c)
{
	if (c) {
		vec_free(&c->cold);
		free(c->entries);
	}
	free(c);
}

/* The instruction that cold code belongs to. */
static uint32_t cold_insn(const struct copy *c, uint64_t at)
{
	size_t low = 0, high = c->cold.count;
	while (high - low > 1) {
		size_t middle = (low + high) / 2;
		if (c->cold.at[middle].code <= at)
			low = middle;
		else
			high = middle;
	}
	return c->cold.at[low].insn;
}

void copy_forward(struct copy *c, struct zone *z, uint64_t to)
{
	enum { JMP = 0xe9, SHORT_BACK = 0xeb | (uint8_t)(-2 - GATE_ROOM) << 8 };
	uint8_t *gate = zone_host(z, c->gate), *jump = gate - GATE_ROOM;
	/* Both stores are aligned, so each is seen whole. */
	__atomic_store_n((uint32_t *)(jump + 1), (uint32_t)(to - c->gate), __ATOMIC_RELEASE);
	*jump = JMP;
	__atomic_store_n((uint16_t *)gate, SHORT_BACK, __ATOMIC_RELEASE);
}

const struct copy_entry *copy_entry_at(const struct copy *c, uint64_t code_address)
{
	uint64_t at = code_address - c->code;
	if (at >= c->size || (c->cold.count && at >= c->cold.at[0].code))
		return NULL;
	size_t low = 0, high = c->procedure->insn_count;
	while (high - low > 1) {
		size_t middle = (low + high) / 2;
		if (c->entries[middle].code <= at)
			low = middle;
		else
			high = middle;
	}
	return &c->entries[low];
}

bool copy_original(const struct copy *c, uint64_t code_address, uint64_t *offset)
{
	const struct copy_entry *e = copy_entry_at(c, code_address);
	if (code_address - c->code >= c->size)
		return false;
	if (c->gate - code_address <= GATE_ROOM) {
		*offset = c->procedure->entry;
		return true;
	}
	if (!e) {
		*offset = c->procedure->insns[cold_insn(c, code_address - c->code)].address;
		return true;
	}
	const struct insn *i = &c->procedure->insns[e - c->entries];
	*offset = code_address - c->code < e->behind ? i->address : insn_end(i);
	return true;
}
