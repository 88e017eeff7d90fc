#include "node/failures_private.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "inject/maps.h"
#include "inject/memory.h"
#include "monitor/stack_cache.h"
#include "node/heap_watch.h"
#include "node/learning.h"
#include "node/procedures.h"

/* The kernel's ucontext on x86-64, as guest/guest_internal.h has it for the blob: registers stand in this order behind five words. */
enum { CONTEXT_HEAD = 40, CONTEXT_WORDS = 18 };
static const uint8_t context_order[16] = {REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
					  REG_RDI, REG_RSI, REG_RBP, REG_RBX, REG_RDX, REG_RAX, REG_RCX, REG_RSP};

static size_t read_guest(void *context, uint64_t address, void *out, size_t size)
{
	struct view_context *v = context;
	return memory_read(v->pid, address, out, size);
}

static struct module *module_at(void *context, uint64_t address, uint64_t *bias)
{
	struct view_context *v = context;
	struct loaded *l = image_module_at(&v->family->image, address);
	if (!l || !image_process_has(l, v->pid))
		return NULL;
	*bias = l->bias;
	return l->module;
}

static uint64_t procedure_of(void *context, struct module *m, uint64_t offset)
{
	const struct procedure *p = procedures_get(m, offset);
	return p ? p->entry : 0;
}

struct stack_view failures_view(struct view_context *context)
{
	enum { EFFORT = 500000 };
	context->effort = EFFORT;
	return (struct stack_view){context, read_guest, module_at, procedure_of, &context->effort};
}

static int read_context(pid_t pid, uint64_t context, struct cfi_registers *out)
{
	uint64_t words[CONTEXT_WORDS];
	int status = memory_read_all(pid, context + CONTEXT_HEAD, words, sizeof words);
	for (int i = 0; i < 16 && !status; i++)
		out->general[context_order[i]] = words[i];
	out->rip = words[16];
	out->rflags = words[17];
	return status;
}

static int write_context(struct family *f, pid_t pid, uint64_t context, const struct cfi_registers *r)
{
	uint64_t words[CONTEXT_WORDS];
	for (int i = 0; i < 16; i++)
		words[i] = r->general[context_order[i]];
	words[16] = r->rip;
	words[17] = r->rflags & ~0x400ull; /* direction flag clear, as the ABI has it between procedures */
	return family_write(f, pid, context + CONTEXT_HEAD, words, sizeof words);
}

static void read_siginfo(pid_t pid, uint64_t info, struct raw_failure *raw)
{
	struct { int32_t signo, error, code, unused; uint64_t address; } si = {0};
	if (memory_read_all(pid, info, &si, sizeof si))
		return;
	raw->code = si.code;
	raw->fault_address = si.code > 0 ? si.address : 0;
	raw->sender = si.code <= 0 ? (pid_t)si.address : 0;
}

static void name_program(struct failure *f, const struct family *family)
{
	snprintf(f->program, sizeof f->program, "%s", family->program);
}

/* Original addresses: a thread that failed in a copy is shown where its instruction came from. */
static void translate(struct family *f, struct cfi_registers *r)
{
	uint64_t original = image_original(&f->image, r->rip);
	if (original)
		r->rip = original;
}

/* A recursion's frames aren't counted from the innermost. */
static int leave(const struct stack_view *view, const struct cfi_registers *r, const struct failure *f, unsigned frame, struct cfi_registers *after)
{
	static struct stack_cache cache;
	if (f->monitor != MONITOR_HANG)
		return stack_unwind_to(view, r, frame + 1, after);
	struct stack_view through = stack_cache_view(&cache, view);
	return stack_unwind_above(&through, r, f->stack[frame].cfa, after);
}

uint64_t failures_carry_out(const struct failure *f, const struct stack_view *view, struct family *family, uint64_t context, const struct cfi_registers *r,
			  const struct repair_verdict *v)
{
	struct cfi_registers after = *r;
	switch (v->kind) {
	case REPAIR_RESUME_HERE:
		if (image_landing_goes_to(&family->image, after.rip)) /* the firewall would wonder */
			after.rip = image_landing_goes_to(&family->image, after.rip);
		return write_context(family, f->pid, context, &after) ? VERDICT_DIE : VERDICT_RESUME;
	case REPAIR_RESCUE:
		if (leave(view, r, f, v->frame, &after))
			break;
		if (v->has_value)
			after.general[REG_RAX] = v->value;
		return write_context(family, f->pid, context, &after) ? VERDICT_DIE : VERDICT_RESUME;
	default:
		break;
	}
	return VERDICT_DIE;
}

int failures_read_context(struct family *f, pid_t pid, uint64_t context, struct cfi_registers *out)
{
	int status = read_context(pid, context, out);
	if (!status)
		translate(f, out);
	return status;
}

void failures_present(struct supervisor *s, struct family *f, struct failure *failure, struct repair_verdict *verdict)
{
	name_program(failure, f);
	log_info("failure in %d: %s", failure->pid, failure->facts);
	learning_failed(s);
	repairing_failure(s, failure, verdict);
}

uint64_t failures_fault(struct supervisor *s, struct family *f, pid_t pid, pid_t tid, int signal, uint64_t info, uint64_t context)
{
	struct view_context context_of_view = {f, pid};
	struct stack_view view = failures_view(&context_of_view);
	struct raw_failure raw = {.signal = signal, .pid = pid, .tid = tid};
	struct failure failure;
	struct repair_verdict verdict = {0};
	family_modules(f, pid, true); /* modules that came without the dynamic linker's word */
	if (failures_read_context(f, pid, context, &raw.registers))
		return VERDICT_DIE;
	read_siginfo(pid, info, &raw);
	if (locate_failure(&view, &raw, &failure))
		return VERDICT_DIE;
	heap_watch_look(s, f, pid);
	if (failures_heap_follows(f, &failure)) {
		log_info("process %d dies of its damaged heap: %s", pid, failure.facts);
		repairing_outcome(s, &failure, &verdict, false);
		return VERDICT_DIE;
	}
	bool is_guarded = failures_heap_fault(f, &view, &failure);
	failures_present(s, f, &failure, &verdict);
	uint64_t outcome = failures_carry_out(&failure, &view, f, context, &raw.registers, &verdict);
	repairing_outcome(s, &failure, &verdict, is_guarded || outcome == VERDICT_RESUME);
	return outcome;
}
