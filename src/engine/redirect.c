/* Redirecting one procedure: whose which part of the text is, its copy and its text, staged until the next commit. */
#include <errno.h>
#include <stdlib.h>

#include "engine/attempt.h"
#include "engine/image_private.h"
#include "engine/restartable.h"
#include "engine/snapshot.h"

void image_free_redirected(struct redirected *r)
{
	for (size_t i = 0; i < r->old_copies.count; i++)
		copy_free(r->old_copies.at[i]);
	vec_free(&r->old_copies);
	vec_free(&r->extra);
	text_plans_free(r->plans, r->plan_count);
	copy_free(r->copy);
	procedure_free(r->procedure);
	free(r);
}

/* Procedures outside .eh_frame: few, so a search will do. */
static struct redirected *owner_outside_ranges(struct loaded *l, uint64_t offset)
{
	for (size_t i = 0; i < l->redirected.count; i++) {
		const struct procedure *p = l->redirected.at[i]->procedure;
		for (size_t k = 0; k < p->range_count; k++)
			if (offset >= p->ranges[k].start && offset < p->ranges[k].end)
				return l->redirected.at[i];
	}
	return NULL;
}

struct redirected *image_redirected(struct loaded *l, uint64_t offset)
{
	size_t range = module_range_index(l->module, offset);
	if (range == SIZE_MAX)
		return owner_outside_ranges(l, offset);
	struct redirected *r = l->owner ? l->owner[range] : NULL;
	return r ? r : snapshot_recall(l, range);
}

size_t image_redirected_count(const struct loaded *l)
{
	return l->redirected.count + snapshot_count(l);
}

struct redirected *image_padded(struct loaded *l, uint64_t offset, uint64_t *end)
{
	const struct module *m = l->module;
	size_t next = module_range_after(m, offset);
	struct redirected *r = next ? image_redirected(l, m->ranges[next - 1].start) : NULL;
	for (size_t i = 0; r && i < r->plan_count; i++)
		if (offset >= m->ranges[next - 1].end && offset >= r->plans[i].range.start && offset < r->plans[i].range.end) {
			*end = r->plans[i].range.end;
			return r;
		}
	return NULL;
}

static void own_ranges(struct loaded *l, struct redirected *r)
{
	if (!l->owner)
		l->owner = calloc(l->module->range_count + 1, sizeof *l->owner);
	if (!l->owner)
		abort();
	for (size_t i = 0; i < r->procedure->range_count; i++) {
		size_t range = module_range_index(l->module, r->procedure->ranges[i].start);
		if (range != SIZE_MAX)
			l->owner[range] = r;
	}
}

void image_own(struct loaded *l, struct redirected *r)
{
	vec_push(&l->redirected, r);
	own_ranges(l, r);
}

void image_refuse(struct loaded *l, uint64_t offset, enum refusal why)
{
	vec_push(&l->refusals, (struct refused){offset, why});
	l->refused++;
	l->refused_by[why]++;
}

int image_refuse_status(struct loaded *l, uint64_t offset, int status)
{
	image_refuse(l, offset, refusal_of(status));
	return status;
}

/* Ranges that another redirected procedure owns stay with it. */
static bool overlaps_other(struct loaded *l, const struct procedure *p, const struct redirected *self)
{
	for (size_t i = 0; i < p->range_count; i++) {
		struct redirected *other = image_redirected(l, p->ranges[i].start);
		if (other && other != self)
			return true;
	}
	return false;
}

/* A procedure that isn't redirected yet. Takes p over, on failure too. */
static int adopt_procedure(struct image *im, struct loaded *l, struct procedure *p, struct redirected **out)
{
	int status = restartable_in(l->module, p->ranges, p->range_count) ? -ENOTSUP :
		     overlaps_other(l, p, NULL) || image_is_written(l, p) ? -EBUSY :
		     l->map ? 0 : image_give_map(im, l);
	if (status) {
		procedure_free(p);
		return status;
	}
	*out = calloc(1, sizeof **out);
	if (!*out)
		abort();
	(*out)->loaded = l;
	(*out)->procedure = p;
	return 0;
}

/* Calls may go straight to the copy's gate, for procedures stay redirected for good. */
static uint64_t gate_of(void *context, uint64_t offset)
{
	struct loaded *l = context;
	size_t range = module_range_index(l->module, offset);
	if (range == SIZE_MAX) /* linkage tables, mostly; finding what owns it would take long */
		return 0;
	const struct redirected *r = l->owner ? l->owner[range] : NULL;
	if (!r)
		return snapshot_gate(l, range, offset);
	return !r->leaving && r->procedure->entry == offset && !r->copy->detour ? r->copy->gate : 0;
}

/* A plan has taken padding: the next one must, too, for it has that in its undo record. A former supervisor's may have. */
static bool has_padding(const struct redirected *r)
{
	for (size_t i = 0; i < r->plan_count; i++)
		if (r->plans[i].range.end > r->procedure->ranges[i].end)
			return true;
	return false;
}

int image_plan_text(struct image *im, struct redirected *r, const struct copy *copy, struct text_plan **plans, size_t *plan_count,
		    struct springboard_counts *counts)
{
	struct plan_options options = {.extra = r->extra.at,
				       .extra_count = r->extra.count,
				       .only_traps = im->only_traps,
				       .paranoid = !im->redirect_all,
				       .padded = im->has_inherited || has_padding(r),
				       .no_holes = r->passing,
				       .callee = im->direct_calls && !im->only_traps ? gate_of : NULL,
				       .context = r->loaded};
	int status = springboard_plan(copy, r->loaded->zone, &options, plans, plan_count, counts);
	if (!status && r->loaded->module->is_lost) {
		text_plans_free(*plans, *plan_count);
		status = -EIO;
	}
	return status;
}

/* Who calls the old copy directly is led on to the new one. */
static void retire_copy(struct redirected *r, const struct copy *new)
{
	const struct copy_entry *entry = &new->entries[procedure_insn(r->procedure, r->procedure->entry) - r->procedure->insns];
	if (r->copy->gate)
		copy_forward(r->copy, r->loaded->zone, new->detour ? new->detour : new->code + entry->code);
	vec_push(&r->old_copies, r->copy);
}

static void stage(struct image *im, struct redirected *r, const struct attempt *made)
{
	attempt_count(im, made);
	if (r->copy && r->copy != made->copy)
		retire_copy(r, made->copy);
	for (size_t i = 0; r->generation && i < r->plan_count; i++)
		r->inherited |= r->plans[i].has_holes; /* written, so somebody may stand there */
	text_plans_free(r->plans, r->plan_count);
	r->copy = made->copy;
	r->plans = made->plans;
	r->plan_count = made->plan_count;
	r->staged = true;
	r->leaving = false;
	image_publish_landings(r);
}

/* Where a jump in dead bytes has been, it stays redirected in any case. */
static bool is_passing(struct image *im, const struct redirected *r, const struct weave *weaves, size_t count)
{
	bool passing = count && !im->redirect_all && !r->inherited;
	for (size_t i = 0; i < r->plan_count; i++)
		passing &= !r->plans[i].has_holes;
	for (size_t i = 0; i < count && passing; i++)
		passing = weaves[i].place != WEAVE_DETOUR && image_probe(im, weaves[i].probe)->work == PROBE_OBSERVE;
	return passing;
}

/* Makes a new copy with these probes and stages it. */
int image_stage_copy(struct image *im, struct redirected *r, struct weave *weaves, size_t count)
{
	struct attempt made;
	r->passing = is_passing(im, r, weaves, count);
	int status = attempt_best(im, r, weaves, count, &made);
	if (!status)
		stage(im, r, &made);
	return status;
}

/* Stages the copy it has, with nothing woven but inline. Returns false if there is no room for all springboards, and less could be woven. */
bool image_stage_present_copy(struct image *im, struct redirected *r)
{
	struct attempt made = {.copy = r->copy};
	if (image_plan_text(im, r, r->copy, &made.plans, &made.plan_count, &made.counts))
		return false;
	if (made.counts.traps && !im->only_traps && attempt_may_yield(r)) {
		text_plans_free(made.plans, made.plan_count);
		return false;
	}
	stage(im, r, &made);
	return true;
}

/* Of a procedure that isn't redirected yet. Takes p over. */
static int begin_procedure(struct image *im, struct loaded *l, struct procedure *p, struct redirected **out)
{
	int status = adopt_procedure(im, l, p, out);
	if (!status && im->has_inherited && l->entry)
		image_inherit_roots(im, *out);
	return status;
}

/* Nobody wishes for it: room that is short stays for procedures that something is woven into. Takes p over. */
int image_begin_unneeded(struct image *im, struct loaded *l, struct procedure *p, struct redirected **out)
{
	if (!zone_is_short(l->zone))
		return begin_procedure(im, l, p, out);
	procedure_free(p);
	return -ENOSPC;
}

int image_own_copy(struct loaded *l, struct redirected *r, int status)
{
	if (status) {
		uint64_t offset = r->procedure->entry;
		image_free_redirected(r);
		return image_refuse_status(l, offset, status);
	}
	image_own(l, r);
	return 0;
}

static int redirect_procedure(struct image *im, struct loaded *l, struct procedure *p, struct weave *weaves, size_t count)
{
	struct redirected *r;
	uint64_t entry = p->entry;
	bool covered = image_redirected(l, entry); /* as a part of another one: not native */
	int status = begin_procedure(im, l, p, &r);
	if (status)
		return covered ? status : image_refuse_status(l, entry, status);
	return image_own_copy(l, r, image_stage_copy(im, r, weaves, count));
}

int image_redirect(struct image *im, struct loaded *l, uint64_t offset, struct weave *weaves, size_t count)
{
	struct redirected *r = l->zone ? image_redirected(l, offset) : NULL;
	struct procedure *p;
	if (!l->zone)
		return image_refuse_status(l, offset, -ERANGE);
	if (r)
		return r->given_up ? -EBUSY : image_stage_copy(im, r, weaves, count);
	int status = procedure_get(l->module, offset, &p);
	if (!status && !p->lasting)
		p->lasting = l->module->learned = true;
	return status ? image_refuse_status(l, offset, status) : redirect_procedure(im, l, p, weaves, count);
}

void image_leave(struct redirected *r)
{
	if (r->copy->gate) /* until the text is written, its springboard leads back here, round and round */
		copy_forward(r->copy, r->loaded->zone, r->procedure->entry + r->loaded->bias);
	r->staged = r->leaving = true;
}

void image_restore(struct image *im, struct redirected *r)
{
	for (size_t i = 0; i < r->plan_count; i++)
		if (r->plans[i].has_holes || r->inherited) {
			/* A thread may stand on a hole's jump, in the middle of an original instruction: stay redirected, with nothing woven. */
			int status = image_redirect(im, r->loaded, r->procedure->entry, NULL, 0);
			(void)status;
			return;
		}
	image_leave(r);
}
