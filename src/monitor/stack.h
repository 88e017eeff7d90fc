/* Call stacks of another process: .eh_frame rules where there are any, then what the code itself says, then guesses (frame pointers, a scan
 * for after-call addresses). Code is read from the modules' files, never from the process: its text may be patched. Addresses are
 * original ones; a thread in a woven copy has to be translated before.
 *
 *	struct frame frames[STACK_DEPTH_MAX];
 *	unsigned depth = stack_walk(&view, &registers, frames, STACK_DEPTH_MAX);
 */
#ifndef MONITOR_STACK_H
#define MONITOR_STACK_H

#include "engine/cfi.h"
#include "monitor/failure.h"

/* The process. */
struct stack_view {
	void *context;
	cfi_read *read;
	/* The module whose file-backed executable mapping holds the address, and its load bias; NULL if there is none. */
	struct module *(*module_at)(void *context, uint64_t address, uint64_t *bias);
	/* The entry of the procedure that holds the offset (hot and cold parts are one procedure). NULL: .eh_frame ranges and symbols serve. */
	uint64_t (*procedure_of)(void *context, struct module *m, uint64_t offset);
	/* Instructions that searches may still look at; counted down. A stack can be made to suggest millions of paths. NULL: no limit. */
	uint64_t *effort;
};

/* Fills frames, innermost first: frame 0 is the instruction at rip, the others are calls (or interrupted instructions, above a signal
 * frame). If rip is no code of any module, frame 0 has module "" and frame 1 is the instruction that transferred there, when it can be told
 * (stack_transfer). Returns the number of frames, at least 1 when max is. */
unsigned stack_walk(const struct stack_view *v, const struct cfi_registers *r, struct frame *out, unsigned max);

/* The registers as they will be right after `count` frames of stack_walk have returned: 1 = after the return of the procedure rip is in (at a
 * failed call: as if the call had returned). Caller-saved registers keep their present values. Only exact unwinding counts.
 * Returns 0, or -ENODATA when a frame on the way can't be unwound exactly. */
int stack_unwind_to(const struct stack_view *v, const struct cfi_registers *r, unsigned count, struct cfi_registers *out)
	__attribute__((warn_unused_result));

/* The last `max` frames, that is the outermost: for stacks deeper than anyone wants to keep. */
unsigned stack_walk_far(const struct stack_view *v, const struct cfi_registers *r, struct frame *out, unsigned max);

/* As stack_unwind_to, up to and including the return of the frame with that cfa. */
int stack_unwind_above(const struct stack_view *v, const struct cfi_registers *r, uint64_t cfa, struct cfi_registers *out)
	__attribute__((warn_unused_result));

/* Remains: after-call addresses in the dead stack below rsp, the highest (most recent caller) first. Tells which procedures ran last when
 * the stack above is smashed. Frames' cfa is where the callee's return address stood + 8. Returns their number. */
unsigned stack_remains(const struct stack_view *v, uint64_t rsp, struct frame *out, unsigned max);

enum stack_transfer_kind {
	TRANSFER_UNKNOWN,
	TRANSFER_CALL,   /* an indirect call whose operand equals rip; or the call before the address at [rsp], when nothing tells more */
	TRANSFER_JUMP,   /* an indirect jump, in the procedure that the call before [rsp] called, whose operand equals rip */
	TRANSFER_RETURN, /* a ret: the word it popped, at [rsp - 8], equals rip. Its procedure is found from the remains below: a stale
			    after-call address is in it when unwinding from there leads to the very slot that was popped */
};

/* How control came to an rip that is no code of any module. *at: the transferring instruction; unset (module "") where it isn't known. */
enum stack_transfer_kind stack_transfer(const struct stack_view *v, const struct cfi_registers *r, struct frame *at);

#endif
