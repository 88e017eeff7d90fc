/* Failures that the shadow monitor finds: returns to elsewhere than where the call came from. */
#include "base/log.h"
#include "node/failures_private.h"
#include "node/weave_shadow.h"

static void except(struct family *f, uint64_t rip)
{
	struct loaded *l = image_module_at(&f->image, rip);
	if (!l)
		return;
	weave_shadow_except(f, l, rip - l->bias);
	family_apply(f, true);
}

uint64_t failures_return(struct supervisor *s, struct family *f, pid_t pid, pid_t tid, uint64_t context, uint64_t noted)
{
	struct view_context context_of_view = {f, pid};
	struct stack_view view = failures_view(&context_of_view);
	struct wrong_return wrong = {.noted = noted, .pid = pid, .tid = tid};
	struct failure failure;
	struct repair_verdict verdict = {0};
	if (failures_read_context(f, pid, context, &wrong.registers))
		return VERDICT_DIE;
	enum return_verdict judged = locate_return_judge(&view, &wrong);
	if (judged == RETURN_IS_NONE)
		except(f, wrong.registers.rip);
	if (judged != RETURN_SMASHED)
		return VERDICT_PROGRAM;
	locate_return(&view, &wrong, &failure);
	failures_present(s, f, &failure, &verdict);
	uint64_t outcome = failures_carry_out(&failure, &view, f, context, &wrong.registers, &verdict);
	repairing_outcome(s, &failure, &verdict, outcome == VERDICT_RESUME);
	return outcome;
}
