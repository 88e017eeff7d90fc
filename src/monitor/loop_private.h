/* Private to loop*.c: what is kept of each instruction. */
#ifndef MONITOR_LOOP_PRIVATE_H
#define MONITOR_LOOP_PRIVATE_H

#include "monitor/loop.h"

#include <Zydis/Zydis.h>

/* Places a value can be in, as bits: general registers by number, then these. */
enum { PLACE_FLAGS = 16, PLACE_VECTOR = 17, PLACE_OTHER = 49 };
#define PLACE(n) (1ull << (n))

enum { ACCESSES_MAX = 2, ACCESS_BYTES = 64 };

struct loop_access {
	uint64_t address;
	uint8_t size;  /* 0: none */
	bool is_load, is_store, may_not; /* may_not: conditional */
	uint8_t value[ACCESS_BYTES]; /* before the instruction */
};

struct loop_step {
	struct cfi_registers r;
	uint64_t reads, writes, kills, addresses; /* places; kills: written as a whole, for sure */
	bool decides; /* where control goes depends on what it reads */
	struct loop_access access[ACCESSES_MAX];
};

/* What the instruction reads and writes. False: its outcome isn't the thread's own, or unknown. */
bool loop_effects(const struct cfi_registers *r, const uint64_t segments[2], const uint8_t *bytes, size_t available, struct loop_step *out);

#endif
