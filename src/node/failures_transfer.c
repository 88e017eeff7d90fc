/* Failures that the firewall finds: transfers to what is no legitimate target. */
#include <signal.h>

#include "monitor/locate_transfer.h"
#include "node/failures_private.h"

uint64_t failures_transfer(struct supervisor *s, struct family *f, pid_t pid, pid_t tid, const uint64_t arg[6])
{
	struct view_context context_of_view = {f, pid};
	struct stack_view view = failures_view(&context_of_view);
	struct raw_failure raw = {.signal = SIGSEGV, .code = SEGV_ACCERR, .fault_address = arg[0], .pid = pid, .tid = tid};
	struct failure failure;
	struct repair_verdict verdict = {0};
	if (failures_read_context(f, pid, arg[1], &raw.registers))
		return VERDICT_DIE;
	raw.registers.rip = arg[0];
	struct barred_view barred = {&view, arg[0]};
	struct stack_view without = locate_bar(&barred);
	locate_transfer(&without, &raw, &failure);
	failures_present(s, f, &failure, &verdict);
	uint64_t outcome = failures_carry_out(&failure, &without, f, arg[1], &raw.registers, &verdict);
	repairing_outcome(s, &failure, &verdict, outcome == VERDICT_RESUME);
	return outcome;
}
