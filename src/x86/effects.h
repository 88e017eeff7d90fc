/* What an instruction reads, writes and surely overwrites of general registers and status flags, and the memory it writes: what liveness and checks
 * of writes are made of. A thin layer over Zydis; no OS calls. */
#ifndef X86_EFFECTS_H
#define X86_EFFECTS_H

#include <clearview/operand.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FLAG_BITS = 0x8d5 }; /* CF PF AF ZF SF OF, as they lie in rflags */

enum effect_write {
	WRITE_NONE,
	WRITE_PLAIN,   /* `size` bytes at the operand */
	WRITE_STRING,  /* rep stos, rep movs: rcx elements of `size` bytes from rdi on, upward or downward */
	WRITE_OPAQUE,  /* more than one place, a masked one, a segment's, a 32-bit address, or of unknown size */
};

struct effects {
	uint32_t reads;      /* bit r: general register r, in whole or part, addresses included */
	uint32_t writes;     /* likewise, perhaps */
	uint32_t kills;      /* surely and wholly overwritten */
	uint16_t flags_read, flags_killed; /* of FLAG_BITS */
	uint8_t write;       /* enum effect_write; the pushes of push and call don't count */
	uint8_t size;        /* bytes */
	uint8_t base, index, scale; /* REG_NONE: none. A rip-relative operand has neither */
	bool writes_stack;   /* push, call, enter: below the stack pointer */
	bool uses_gs;        /* reads or writes through the gs segment, or sets its base */
	int32_t displacement;
};

/* Decodes the instruction at `bytes`. Returns 0 or -EILSEQ. */
int effects_decode(const uint8_t *bytes, size_t available, struct effects *out) __attribute__((warn_unused_result));

#endif
