/* A small assembler: the few instructions that woven code consists of. Bytes go to a bounded buffer that stands for guest addresses. */
#ifndef X86_EMIT_H
#define X86_EMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct emitter {
	uint8_t *bytes;    /* host memory */
	uint64_t address;  /* guest address of bytes[0] */
	size_t size, used;
	bool failed;       /* ran out of room, or a displacement didn't fit: all further output is dropped */
};

static inline uint64_t emit_here(const struct emitter *e)
{
	return e->address + e->used;
}

void emit_bytes(struct emitter *e, const void *bytes, size_t size);
void emit_u8(struct emitter *e, uint8_t byte);
void emit_u32(struct emitter *e, uint32_t word);
/* The 32-bit displacement to `target`, measured from its own end. */
void emit_displacement(struct emitter *e, uint64_t target);
void emit_jump(struct emitter *e, uint64_t target);                         /* jmp target */
void emit_branch(struct emitter *e, uint8_t condition, uint64_t target);    /* jcc target */
void emit_load(struct emitter *e, uint8_t reg, uint8_t base, int32_t disp); /* mov disp(base), reg */
void emit_lea(struct emitter *e, uint8_t reg, uint8_t base, int32_t disp);  /* lea disp(base), reg */
void emit_move(struct emitter *e, uint8_t to, uint8_t from);                /* mov from, to */
void emit_set(struct emitter *e, uint8_t reg, int64_t value);               /* mov $value, reg */
/* Overwrites a displacement emitted earlier at offset `at`. */
void emit_patch_displacement(struct emitter *e, size_t at, uint64_t target);

#endif
