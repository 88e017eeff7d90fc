/* Machine code that monitors weave into every copy, right where it is needed: no probe, no call. A weaver first marks the instructions of a procedure it
 * has code for, then emits that code before each of them; what is seldom executed goes to the copy's end ("cold").
 *
 *     copy:   ... [first: weavers that come before probes] [probes] [the others] instruction ...
 *     end:    cold code of all of them
 *
 * The code keeps what is live (inline_code.live) and the red zone: nothing is written below the stack pointer unless the weaver knows it unused.
 * A signal may arrive anywhere in it, and its handler may leave it for good. */
#ifndef ENGINE_WEAVE_INLINE_H
#define ENGINE_WEAVE_INLINE_H

#include "engine/liveness.h"
#include "x86/emit.h"

enum { INLINE_WEAVERS_MAX = 8 };

struct inline_weaver;
struct inline_weaving;

/* What a weaver sees of the procedure at work. */
struct inline_code {
	const struct procedure *procedure;
	const struct effects *effects; /* by instruction, as is live */
	const struct live *live;
	size_t insn;                   /* where code is emitted: it goes before this instruction */
	struct emitter *e;
	struct inline_weaving *weaving; /* private */
};

/* Cold code: its way in, and where it may go on. */
struct inline_cold {
	uint32_t data;    /* the weaver's own, as it gave it to inline_branch_cold() */
	uint64_t back;    /* behind the branch that led here */
	uint64_t moved;   /* the instruction's copy, behind all that is woven before it */
};

struct inline_weaver {
	bool yields;      /* left out of a procedure that springboards don't fit into with it: what nothing is woven into may run in place */
	bool is_first;    /* before probes at the same instruction, else between them and it */
	uint16_t room;    /* bytes that the code at one instruction takes at most, cold code included */
	void *context;
	/* marks[i] |= mark: there is code for instruction i. */
	void (*plan)(const struct inline_weaver *w, const struct inline_code *c, uint8_t *marks, uint8_t mark);
	void (*hot)(const struct inline_weaver *w, struct inline_code *c);
	void (*cold)(const struct inline_weaver *w, struct inline_code *c, const struct inline_cold *cold);
	const char *name; /* of a weaver whose code depends on the module alone, and may be kept with it (snapshot.h); else NULL */
};

/* jcc to cold code of this instruction. */
void inline_branch_cold(struct inline_code *c, uint8_t condition, uint32_t data);

/* --- For copy.c. */

struct inline_weaving *inline_begin(const struct procedure *p, const struct inline_weaver *const *weavers, size_t count, struct emitter *e);
void inline_end(struct inline_weaving *w);
/* Everything is emitted once more. */
void inline_restart(struct inline_weaving *w);
/* Bytes that all the code takes at most. */
size_t inline_room(const struct inline_weaving *w);
bool inline_is_woven(const struct inline_weaving *w, size_t insn);
void inline_emit(struct inline_weaving *w, size_t insn, bool first);
/* All cold code. moved: where the copy of an instruction starts, offset in the copy. tell: each piece's start (offset) and instruction, ascending. */
void inline_emit_cold(struct inline_weaving *w, uint32_t (*moved)(void *context, size_t insn), void (*tell)(void *context, uint32_t code, uint32_t insn),
		      void *context);

#endif
