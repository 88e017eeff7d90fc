/* What the engine has to know about one instruction: its length, where control goes, and where its rip-relative displacement stands.
 * A thin layer over Zydis; no OS calls. */
#ifndef X86_INSN_H
#define X86_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum insn_flow {
	FLOW_NEXT,          /* goes to the next instruction, unless it faults */
	FLOW_BRANCH,        /* conditional: target or next; includes jrcxz and loop */
	FLOW_JUMP,          /* direct */
	FLOW_JUMP_INDIRECT,
	FLOW_CALL,          /* direct */
	FLOW_CALL_INDIRECT,
	FLOW_RETURN,
	FLOW_SYSCALL,       /* syscall: goes to the next instruction, mostly */
	FLOW_STOP,          /* ud2, hlt, int3: control does not go on */
	FLOW_XBEGIN,        /* transactional begin: next, or target on abort */
};

struct insn {
	uint64_t address;
	uint64_t target;      /* direct branches and calls, xbegin; rip-relative operands: the address meant */
	uint8_t length;       /* 1..15 */
	uint8_t flow;         /* enum insn_flow */
	uint8_t rip_offset;   /* byte offset of a rip-relative operand's 32-bit displacement; 0: none */
	uint8_t condition;    /* FLOW_BRANCH with jcc: the condition code 0..15; 0xff: jrcxz, loop */
};

/* Decodes the instruction at `bytes` (`available` may exceed its length). Returns 0 or -EILSEQ. */
int insn_decode(const uint8_t *bytes, size_t available, uint64_t address, struct insn *out);

/* nop in all its lengths, int3: what compilers fill gaps with. */
bool insn_is_filler(const struct insn *i, const uint8_t *bytes);

static inline uint64_t insn_end(const struct insn *i)
{
	return i->address + i->length;
}

static inline bool insn_is_call(const struct insn *i)
{
	return i->flow == FLOW_CALL || i->flow == FLOW_CALL_INDIRECT;
}

/* Control can go on behind the instruction (calls are taken to return). */
static inline bool insn_falls_through(const struct insn *i)
{
	return i->flow == FLOW_NEXT || i->flow == FLOW_BRANCH || insn_is_call(i) || i->flow == FLOW_SYSCALL || i->flow == FLOW_XBEGIN;
}

#endif
