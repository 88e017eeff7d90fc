/* A woven copy: a procedure's instructions moved into the code cache, with probes between them. Calls stay in place: the copy jumps to the original call, whose return
 * address is therefore the original one, and a springboard behind it leads back. */
#ifndef ENGINE_COPY_H
#define ENGINE_COPY_H

#include "base/vec.h"
#include "engine/cfi.h"
#include "engine/procedure.h"
#include "engine/zone.h"

enum weave_place {
	WEAVE_BEFORE, /* whenever the instruction is reached, before it */
	WEAVE_AFTER,  /* when it has been executed and control goes on behind it (not for calls) */
	WEAVE_DETOUR, /* at a procedure's entry: control that comes in there from outside the copy goes to `detour`, which may call the copy */
};

enum weave_resume {
	RESUME_NONE,
	RESUME_BEHIND, /* go on behind the instruction: skips it */
	RESUME_TEXT,   /* go on at the original instruction */
	RESUME_RETURN, /* return from the procedure: restore what the unwind rule says, then ret */
};

struct weave {
	uint64_t offset;  /* module offset of the instruction */
	uint8_t place;    /* enum weave_place */
	uint8_t resume;   /* enum weave_resume: where a probe's PROBE_ACT_RESUME goes */
	uint32_t probe;   /* table entry; of a detour: index in guest_tables.original[], where the copy's address is published */
	uint64_t detour;  /* guest address within the zone */
	uint64_t resume_address; /* out: guest address, 0 if it can't be made; of a detour: the entry's copy */
};

/* Where the copy of an original instruction is. */
struct copy_entry {
	uint64_t offset;  /* module offset of the original */
	uint32_t code;    /* copy.code + this; of a call that stays in place: the jump to it */
	uint32_t moved;   /* the instruction itself, behind its probes */
	uint32_t behind;  /* the end of the instruction: what follows up to the next entry happens when it has been executed */
	bool in_place;    /* a call: runs at its original address, unless a probe stands before it or other code overlaps it */
	bool overlapped;  /* another instruction shares bytes with it: neither can stay where it is */
	bool woven;       /* there is a probe at it */
};

/* A piece of the code woven inline that lies behind the copy's instructions. */
struct copy_cold {
	uint32_t code, insn;
};

struct copy {
	const struct procedure *procedure;
	uint64_t bias;
	uint64_t code;     /* guest address */
	size_t size;
	struct copy_entry *entries; /* one an instruction, in the order of procedure.insns */
	VEC(struct copy_cold) cold; /* ascending */
	uint64_t detour;   /* guest address that the entry's springboard leads to instead; 0: none */
	uint64_t gate;     /* guest address of the entry's copy where calls may go directly, with room before it to lead on (copy_forward); 0: none */
};

struct inline_weaver;

/* Emits the copy into the zone. `weaves` must be sorted by offset; their resume addresses are filled in. `inlines`: weave_inline.h. Returns 0, -ENOSPC (zone full), -ERANGE (an operand out of reach). */
int copy_emit(const struct procedure *p, uint64_t bias, struct zone *z, struct weave *weaves, size_t weave_count, const struct inline_weaver *const *inlines,
	      size_t inline_count, struct copy **out) __attribute__((warn_unused_result));
/* The copy that copy_emit made of the procedure at that address, without weaves. Returns 0; -EILSEQ: something else is there. */
int copy_emit_again(const struct procedure *p, uint64_t bias, struct zone *z, uint64_t code, const struct inline_weaver *const *inlines, size_t inline_count,
		    struct copy **out) __attribute__((warn_unused_result));
/* A call that the copy makes itself, of the instruction with that index: where in the copy the two halves of the return address are. */
bool copy_return_address(const struct copy *c, size_t insn, uint32_t *low, uint32_t *high);
void copy_free(struct copy *c);

/* Whoever comes in by the gate goes to `to` from now on. Threads may be doing so. */
void copy_forward(struct copy *c, struct zone *z, uint64_t to);

/* The original instruction that an address in the copy is about to execute (probes before it count as the instruction, those after it as the next one);
 * false if outside. */
bool copy_original(const struct copy *c, uint64_t code_address, uint64_t *offset);
/* The entry whose code holds the address; NULL: outside, or in cold code. */
const struct copy_entry *copy_entry_at(const struct copy *c, uint64_t code_address);

/* Machine code that returns from the procedure at `offset`: for patches on native code, too. Returns its guest address, 0 if the unwind rule doesn't allow it.
 * lift: bytes of stack to drop first (136 behind a probe, else 0). */
uint64_t emit_return(struct zone *z, const struct cfi_rule *rule, unsigned lift);
/* Returns from `depth` procedures: rules[0] at the point, rules[k] at the call in the k-th caller, expected[k] the return address into it. Where another
 * caller is found, the return to it is the last. */
uint64_t emit_return_chain(struct zone *z, const struct cfi_rule *rules, const uint64_t *expected, unsigned depth, unsigned lift);

#endif
