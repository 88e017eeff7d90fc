#include "x86/emit.h"

#include <string.h>

void emit_bytes(struct emitter *e, const void *bytes, size_t size)
{
	if (e->failed || e->size - e->used < size) {
		e->failed = true;
		return;
	}
	memcpy(e->bytes + e->used, bytes, size);
	e->used += size;
}

void emit_u8(struct emitter *e, uint8_t byte)
{
	emit_bytes(e, &byte, 1);
}

void emit_u32(struct emitter *e, uint32_t word)
{
	emit_bytes(e, &word, 4);
}

void emit_displacement(struct emitter *e, uint64_t target)
{
	int64_t distance = target - (emit_here(e) + 4);
	if (distance != (int32_t)distance)
		e->failed = true;
	emit_u32(e, distance);
}

void emit_patch_displacement(struct emitter *e, size_t at, uint64_t target)
{
	int64_t distance = target - (e->address + at + 4);
	int32_t word = distance;
	if (distance != word || at + 4 > e->used)
		e->failed = true;
	else
		memcpy(e->bytes + at, &word, 4);
}

void emit_jump(struct emitter *e, uint64_t target)
{
	emit_u8(e, 0xe9);
	emit_displacement(e, target);
}

void emit_branch(struct emitter *e, uint8_t condition, uint64_t target)
{
	emit_u8(e, 0x0f);
	emit_u8(e, 0x80 | (condition & 15));
	emit_displacement(e, target);
}

/* REX.W opcode /r with a 32-bit displacement. */
static void emit_memory(struct emitter *e, uint8_t opcode, uint8_t reg, uint8_t base, int32_t disp)
{
	emit_u8(e, 0x48 | (reg & 8) >> 1 | (base & 8) >> 3);
	emit_u8(e, opcode);
	emit_u8(e, 0x80 | (reg & 7) << 3 | (base & 7));
	if ((base & 7) == 4)
		emit_u8(e, 0x24);
	emit_u32(e, disp);
}

void emit_load(struct emitter *e, uint8_t reg, uint8_t base, int32_t disp)
{
	emit_memory(e, 0x8b, reg, base, disp);
}

void emit_lea(struct emitter *e, uint8_t reg, uint8_t base, int32_t disp)
{
	emit_memory(e, 0x8d, reg, base, disp);
}

void emit_move(struct emitter *e, uint8_t to, uint8_t from)
{
	emit_u8(e, 0x48 | (from & 8) >> 1 | (to & 8) >> 3);
	emit_u8(e, 0x89);
	emit_u8(e, 0xc0 | (from & 7) << 3 | (to & 7));
}

void emit_set(struct emitter *e, uint8_t reg, int64_t value)
{
	emit_u8(e, 0x48 | (reg & 8) >> 3);
	emit_u8(e, 0xb8 | (reg & 7));
	emit_bytes(e, &value, 8);
}
