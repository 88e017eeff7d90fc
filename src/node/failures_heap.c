/* Failures that the heap monitor finds: in the wrappers of free and realloc, by the scan, by a fault on guarded memory. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "inject/memory.h"
#include "node/enforce.h"
#include "node/failures_private.h"
#include "node/heap_private.h"

static const char *name_point(struct family *f, const struct point *p, char *out, size_t size)
{
	struct loaded *l = image_module(&f->image, &p->module);
	const char *path = l ? l->module->path : "?", *slash = strrchr(path, '/');
	snprintf(out, size, "%s+%#llx", slash ? slash + 1 : path, (unsigned long long)p->offset);
	return out;
}

static void note_damage(struct family *f, pid_t pid)
{
	struct heap_watch *h = heap_watch_of(f);
	for (size_t i = 0; i < h->damaged.count; i++)
		if (h->damaged.at[i] == pid)
			return;
	vec_push(&h->damaged, pid);
}

static void arm(struct family *f, const struct guest_heap_finding *finding, struct failure *failure)
{
	struct heap_site site;
	char name[64], old[sizeof failure->facts];
	if (!heap_watch_arm(f, finding, &site))
		return;
	memcpy(old, failure->facts, sizeof old);
	int used = snprintf(failure->facts, sizeof failure->facts, "%s; allocated at %s", old, name_point(f, &site.call, name, sizeof name));
	if (used >= (int)sizeof failure->facts)
		memcpy(failure->facts, old, sizeof old);
}

static uint64_t write_registers(struct family *f, pid_t pid, uint64_t at, const struct cfi_registers *r)
{
	uint64_t words[17];
	memcpy(words, r->general, 16 * sizeof *words);
	words[16] = r->rip;
	return family_write(f, pid, at, words, sizeof words) ? VERDICT_DIE : VERDICT_RESUME;
}

/* A patch at the call of the first application frame; the guest itself only looks at the innermost. */
static bool patched(struct supervisor *s, struct family *f, const struct stack_view *v, const struct cfi_registers *r, const struct failure *failure,
		    struct cfi_registers *after)
{
	uint64_t resume = enforcement_heap_call(s->enforcement, f, &failure->at, failure->tid);
	if (!resume || !failure->location_frame || stack_unwind_to(v, r, failure->location_frame, after))
		return false;
	after->rip = resume;
	return true;
}

static uint64_t carry_out(struct family *f, const struct stack_view *v, pid_t pid, uint64_t at, const struct guest_heap_finding *finding, const struct cfi_registers *r,
			  const struct repair_verdict *verdict)
{
	struct cfi_registers after = *r;
	after.rip = finding->rip;
	after.general[REG_RAX] = 0;
	if (verdict->kind == REPAIR_RESUME_HERE)
		return write_registers(f, pid, at, &after);
	if (verdict->kind != REPAIR_RESCUE || stack_unwind_to(v, r, verdict->frame + 1, &after))
		return VERDICT_DIE;
	if (verdict->has_value)
		after.general[REG_RAX] = verdict->value;
	return write_registers(f, pid, at, &after);
}

/* Damage is told, and the program goes on: it would natively, and the canary has kept it harmless so far. */
static uint64_t damaged(struct supervisor *s, struct family *f, const struct guest_heap_finding *finding, struct failure *failure)
{
	struct repair_verdict verdict;
	if (heap_watch_has_told(f, failure->pid, finding->block))
		return VERDICT_DIE;
	note_damage(f, failure->pid);
	arm(f, finding, failure);
	failures_present(s, f, failure, &verdict);
	repairing_outcome(s, failure, &verdict, true);
	return VERDICT_DIE; /* the original goes on */
}

uint64_t failures_heap(struct supervisor *s, struct family *f, pid_t pid, pid_t tid, const uint64_t arg[6])
{
	struct view_context context = {f, pid};
	struct stack_view view = failures_view(&context);
	struct guest_heap_finding finding;
	struct cfi_registers registers, after;
	struct failure failure;
	struct repair_verdict verdict = {0};
	if (memory_read_all(pid, arg[0], &finding, sizeof finding))
		return VERDICT_DIE;
	family_modules(f, pid, true);
	heap_failure(&view, &finding, pid, tid, &registers, &failure);
	if (finding.kind == HEAP_DAMAGED)
		return damaged(s, f, &finding, &failure);
	if (patched(s, f, &view, &registers, &failure, &after))
		return write_registers(f, pid, arg[0], &after);
	failures_present(s, f, &failure, &verdict);
	uint64_t outcome = verdict.kind == REPAIR_RESUME_HERE && patched(s, f, &view, &registers, &failure, &after)
				   ? write_registers(f, pid, arg[0], &after)
				   : carry_out(f, &view, pid, arg[0], &finding, &registers, &verdict);
	if (outcome != VERDICT_RESUME)
		note_damage(f, pid);
	repairing_outcome(s, &failure, &verdict, outcome == VERDICT_RESUME);
	return outcome;
}

void failures_heap_scanned(struct supervisor *s, struct family *f, pid_t pid, const struct guest_heap_finding *finding)
{
	struct view_context context = {f, pid};
	struct stack_view view = failures_view(&context);
	struct heap_site site;
	struct failure failure;
	struct repair_verdict verdict;
	note_damage(f, pid);
	if (!heap_watch_arm(f, finding, &site) || !heap_scan_failure(&view, finding, &site, pid, &failure)) {
		log_warning("%s: process %d: a heap block at %#lx is damaged; where it was allocated isn't known", f->program, pid, finding->block);
		return;
	}
	failures_present(s, f, &failure, &verdict);
	repairing_outcome(s, &failure, &verdict, true);
}

static const char *name_address(struct family *f, const struct stack_view *v, uint64_t return_address, char *out, size_t size)
{
	uint64_t bias, call;
	struct module *m = return_address ? v->module_at(v->context, return_address - 1, &bias) : NULL;
	if (!m || !locate_is_call(m, return_address - bias, &call))
		return "an unknown place";
	return name_point(f, &(struct point){m->key, call}, out, size);
}

bool failures_heap_fault(struct family *f, const struct stack_view *view, struct failure *failure)
{
	struct guest_heap_slot slot;
	char allocated[64], freed[64];
	if (failure->signal != SIGSEGV || !f->image.tables->heap_site_count || !heap_slot_at(view, heap_watch_address(f), failure->fault_address, &slot))
		return false;
	heap_fault_failure(&slot, name_address(f, view, slot.site, allocated, sizeof allocated),
			   name_address(f, view, slot.free_site, freed, sizeof freed), failure);
	return true;
}

bool failures_heap_follows(struct family *f, const struct failure *failure)
{
	const struct heap_watch *h = f->heap;
	bool is_damaged = false;
	if (!h || failure->monitor != MONITOR_ABORT)
		return false;
	for (size_t i = 0; i < h->damaged.count; i++)
		is_damaged |= h->damaged.at[i] == failure->pid;
	for (unsigned i = 0; is_damaged && i < failure->location_frame; i++)
		for (size_t k = 0; k < h->entries.count; k++)
			if (failure->stack[i].procedure == h->entries.at[k] && !strcmp(failure->stack[i].at.module.hex, h->allocator.hex))
				return true;
	return false;
}
