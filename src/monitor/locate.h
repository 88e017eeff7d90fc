/* From a signal to a failure: which monitor's it is, the location that groups its occurrences, the call stack, and one sentence of facts.
 *
 * crash    SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP raised by an instruction: that instruction, wherever it lies
 * control  rip is no code, or an indirect transfer's target can't be gone to: the transferring instruction (stack_transfer); the nearest
 *          frame that is code, if that isn't known
 * abort    SIGABRT (or another signal) that the process sent itself: the call in the first application frame, that is the first one in
 *          neither libc nor the C++ runtime nor a reporting procedure known by name
 * shadow   locate_return: the return instruction
 * hang     SIGSEGV because the stack is exhausted and a procedure recurs: the point that occurs most often in the innermost frames */
#ifndef MONITOR_LOCATE_H
#define MONITOR_LOCATE_H

#include "monitor/failure.h"
#include "monitor/locate_call.h"
#include "monitor/stack.h"

/* What the monitor's signal handler, or ptrace, knows. */
struct raw_failure {
	int signal, code;       /* si_signo, si_code */
	uint64_t fault_address; /* si_addr */
	pid_t sender;           /* si_pid, where a process sent it (code <= 0) */
	pid_t pid, tid;
	struct cfi_registers registers; /* translated to original addresses, as everything here */
};

/* Fills *out except `id` and `program`; time is now. Returns 0, or -ECANCELED: another process sent the signal, the program didn't fail. */
int locate_failure(const struct stack_view *v, const struct raw_failure *raw, struct failure *out) __attribute__((warn_unused_result));

/* A return that is about to go elsewhere than what was noted when its procedure was entered. */
struct wrong_return {
	struct cfi_registers registers; /* at the return, original addresses */
	uint64_t noted;
	pid_t pid, tid;
};
enum return_verdict {
	RETURN_SMASHED,
	RETURN_RIGHT,   /* to behind another call of the same procedure: the stack's contents were moved */
	RETURN_IS_NONE, /* by its unwind rule there is no return address at the stack pointer; or the code is part of several procedures */
};
enum return_verdict locate_return_judge(const struct stack_view *v, const struct wrong_return *r);
/* Fills *out as locate_failure does. */
void locate_return(const struct stack_view *v, const struct wrong_return *r, struct failure *out);

#endif
