/* Calls that lead straight to copies are led back to the entries, for good: where a tracer puts its breakpoints, threads have to come by.
 *
 * Only the calls are written, in the steps of a commit, so that a tracer's breakpoints elsewhere stay where they are:
 *   1. int3 over the call's first byte;     synchronise processors
 *   2. the displacement;                    synchronise processors
 *   3. the first byte. */
#include <stdlib.h>
#include <string.h>

#include "engine/image_private.h"
#include "engine/snapshot.h"

enum { INT3 = 0xcc, DISPLACEMENT = 4 };

struct led_call {
	uint32_t at, end; /* offsets in the plan's range */
	bool is_foreign;  /* a trap of somebody else's stands there: left alone */
};

struct led {
	struct redirected *r;
	const struct text_plan *plan;
	VEC(struct led_call) calls;
};

typedef VEC(struct led) led_list;

static void lead_back(struct led *d, struct text_plan *plan, const struct insn *i)
{
	uint32_t at = i->address - plan->range.start, end = insn_end(i) - plan->range.start, displacement = end - DISPLACEMENT;
	if (i->length <= DISPLACEMENT || !memcmp(plan->bytes + displacement, plan->original + displacement, DISPLACEMENT))
		return;
	memcpy(plan->bytes + displacement, plan->original + displacement, DISPLACEMENT);
	vec_push(&d->calls, (struct led_call){.at = at, .end = end});
}

/* A plan that isn't written yet will be, as it is now. */
static void lead_plan_back(struct redirected *r, struct text_plan *plan, led_list *out)
{
	const struct procedure *p = r->procedure;
	struct led d = {.r = r, .plan = plan};
	for (size_t k = 0; k < p->insn_count; k++) {
		const struct insn *i = &p->insns[k];
		if (i->flow == FLOW_CALL && r->copy->entries[k].in_place && i->address >= plan->range.start && insn_end(i) <= plan->range.end)
			lead_back(&d, plan, i);
	}
	if (d.calls.count && !r->staged)
		vec_push(out, d);
	else
		vec_free(&d.calls);
}

static void lead_module_back(struct loaded *l, led_list *out)
{
	snapshot_recall_all(l, WHOLE_MODULE);
	for (size_t i = 0; i < l->redirected.count; i++) {
		struct redirected *r = l->redirected.at[i];
		for (size_t k = 0; k < r->plan_count && !r->leaving; k++)
			lead_plan_back(r, &r->plans[k], out);
	}
}

static void edit(struct led *d, int step, uint8_t *text)
{
	for (size_t i = 0; i < d->calls.count; i++) {
		struct led_call *c = &d->calls.at[i];
		uint32_t displacement = c->end - DISPLACEMENT;
		if (step == 1)
			c->is_foreign = text[c->at] == INT3;
		if (step == 1)
			text[c->at] = INT3;
		else if (step == 2)
			memcpy(text + displacement, d->plan->bytes + displacement, DISPLACEMENT);
		else if (!c->is_foreign)
			text[c->at] = d->plan->bytes[c->at];
	}
}

static int write_step(struct image *im, pid_t pid, struct led *d, int step)
{
	const struct text_plan *p = d->plan;
	uint64_t address = p->range.start + d->r->loaded->bias, first = d->calls.at[0].at, size = d->calls.at[d->calls.count - 1].end - first;
	uint8_t *text = malloc(p->range.end - p->range.start);
	if (!text)
		abort();
	int status = im->access.read(im->access.context, pid, address + first, text + first, size);
	if (!status) {
		edit(d, step, text);
		status = im->access.write(im->access.context, pid, address + first, text + first, size);
	}
	free(text);
	return status;
}

static void write_process(struct image *im, pid_t pid, led_list *all)
{
	for (int step = 1; step <= 3; step++) {
		for (size_t i = 0; i < all->count; i++)
			if (image_process_has(all->at[i].r->loaded, pid)) {
				int status = write_step(im, pid, &all->at[i], step);
				(void)status; /* the process has ended */
			}
		if (step < 3)
			im->access.synchronise(im->access.context);
	}
}

size_t image_lead_calls_back(struct image *im)
{
	led_list all = {0};
	size_t count = 0;
	if (!im->direct_calls)
		return 0;
	im->direct_calls = false;
	im->tables->legacy.redirect_all = im->redirect_all;
	for (size_t m = 0; m < im->modules.count; m++)
		lead_module_back(im->modules.at[m], &all);
	if (all.count)
		im->tables->legacy.generation = ++im->generation;
	for (size_t i = 0; i < im->processes.count && all.count; i++)
		if (!im->processes.at[i].is_leaving)
			write_process(im, im->processes.at[i].pid, &all);
	for (size_t i = 0; i < all.count; i++) {
		all.at[i].r->generation = im->generation;
		count += all.at[i].calls.count;
		vec_free(&all.at[i].calls);
	}
	image_tell_generation(im);
	vec_free(&all);
	return count;
}
