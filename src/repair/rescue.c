#include "repair/rescue.h"

#include "repair/candidates.h"
#include "repair/describe.h"
#include "repair/force.h"
#include "repair/rank.h"
#include "repair/trial.h"

enum { NO_FRAME = -2 };

static int frame_by_procedure(const struct failure *f, const struct module_key *module, uint64_t procedure, unsigned from)
{
	for (unsigned n = from; n < f->depth; n++)
		if (f->stack[n].procedure == procedure && !strncmp(f->stack[n].at.module.hex, module->hex, MODULE_KEY_SIZE))
			return n;
	return NO_FRAME;
}

/* Is frame n of that failure an activation of the procedure `above` callers above the location's, as the location's last failure had it? */
static bool same_procedure(const struct failure *f, unsigned n, const struct failure *then, unsigned above)
{
	unsigned m = then->location_frame + above;
	return m < then->depth && f->stack[n].procedure == then->stack[m].procedure;
}

/* The activation in which the patch acted, or, if that has returned, one of its callers. The stack grows down: callers have higher CFAs. So may
 * procedures called since have, when fewer arguments were pushed for them; hence the caller's procedure is looked for first. */
static int frame_by_cfa(const struct failure *f, uint64_t cfa, const struct failure *then, unsigned depth)
{
	int caller = NO_FRAME, innermost = NO_FRAME;
	for (int n = f->depth; n-- > 0 && f->stack[n].cfa >= cfa;) {
		if (depth == 1 && f->stack[n].cfa == cfa && same_procedure(f, n, then, 0))
			return n;
		if (f->stack[n].cfa == cfa)
			break;
		innermost = n;
		if (same_procedure(f, n, then, 1))
			caller = n;
	}
	if (caller == NO_FRAME)
		caller = innermost;
	return depth == 1 || caller == NO_FRAME ? NO_FRAME : caller + (int)depth - 2;
}

/* The frame the patch means to return from, whether or not that can be done there. */
static int frame_meant(const struct incident *in, const struct location *l, const struct patch *p)
{
	const struct failure *f = in->f;
	int frame;
	if (in->elsewhere && in->cfa && p->guard != GUARD_INVARIANT)
		return frame_by_cfa(f, in->cfa, &l->last, p->depth);
	if (p->guard == GUARD_INVARIANT)
		frame = frame_by_procedure(f, &p->at.module, p->invariant.procedure, in->elsewhere ? 0 : f->location_frame);
	else if (in->elsewhere)
		frame = frame_by_procedure(f, &l->at.module, l->last.stack[l->last.location_frame].procedure, 0);
	else
		frame = f->location_frame;
	return frame == NO_FRAME ? NO_FRAME : frame + p->depth - 1;
}

/* The frame to return from, or -1 when the patch doesn't mean a return, or not on this stack. To skip a call that ended in an abort is to return from
 * what it called. */
static int rescue_frame(struct repair *r, const struct incident *in, const struct location *l, const struct patch *p)
{
	const struct failure *f = in->f;
	if (p->action == ACTION_SKIP && f->monitor == MONITOR_ABORT && !in->elsewhere)
		return candidates_can_cut_call(r, f) ? (int)f->location_frame - 1 : -1;
	if (p->action != ACTION_RETURN)
		return -1;
	int frame = frame_meant(in, l, p);
	if (frame < 0 || frame + 1u >= f->depth || !f->stack[frame + 1].at.module.hex[0])
		return -1;
	return r->host.call_returns(r->host.context, &f->stack[frame + 1].at) ? frame : -1;
}

struct search {
	struct repair *r;
	const struct incident *in;
	const struct location *l;
};

static bool can_rescue(void *context, const struct patch *p)
{
	const struct search *s = context;
	return rank_score(p, s->r->settings.bonus) >= 0 && rescue_frame(s->r, s->in, s->l, p) >= 0;
}

static bool may_rescue(const struct repair *r, const struct incident *in, const struct location *l)
{
	if (in->livelock || r->settings.rescue == RESCUE_NEVER)
		return false;
	if (r->settings.rescue == RESCUE_ALWAYS)
		return true;
	return in->known && (l->state == LOCATION_REPAIRING || l->state == LOCATION_PATCHED);
}

/* The patch in force guards the very instruction that failed, but was not there in time. */
static const struct patch *guards_instruction(const struct repair *r, const struct incident *in)
{
	const struct force_entry *e = force_at(r, in->location);
	const struct failure *f = in->f;
	bool guards = e && ((e->patch.guard == GUARD_FAULT && f->monitor == MONITOR_CRASH) || (e->patch.guard == GUARD_HEAP && f->monitor == MONITOR_HEAP));
	if (!guards || in->elsewhere || f->location_frame)
		return NULL;
	return point_compare(&e->patch.at, &f->at) ? NULL : &e->patch;
}

static int take(struct repair *r, const struct incident *in, const struct patch *p, int frame, struct repair_verdict *v)
{
	const struct failure *f = in->f;
	*v = (struct repair_verdict){
		.kind = REPAIR_RESCUE, .frame = frame, .has_value = p->has_value, .value = p->value, .location = in->location, .patch = p->id};
	unsigned acted = p->action == ACTION_SKIP ? frame + 1u : (unsigned)frame;
	int err = store_patch_count(r->store, p->id, 0, 0, 1);
	return err ? err : trial_open(r, p, f->pid, f->tid, f->stack[acted].cfa, in->now_us);
}

static int decide(struct repair *r, const struct incident *in, const struct location *l, const patch_list *list, struct repair_verdict *v)
{
	struct search search = {r, in, l};
	const struct patch *p = NULL;
	for (size_t i = 0; in->fired && i < list->count; i++)
		if (list->at[i].id == in->fired && rescue_frame(r, in, l, &list->at[i]) >= 0)
			p = &list->at[i];
	if (!p && !may_rescue(r, in, l))
		return 0;
	const struct patch *guarding = guards_instruction(r, in);
	if (!p && guarding) {
		*v = (struct repair_verdict){.kind = REPAIR_RESUME_HERE, .location = in->location, .patch = guarding->id};
		return 0;
	}
	if (!p)
		p = rank_best(list->at, list->count, r->settings.bonus, can_rescue, &search);
	return p ? take(r, in, p, rescue_frame(r, in, l, p), v) : 0;
}

int rescue_decide(struct repair *r, const struct incident *in, struct repair_verdict *v)
{
	struct location l;
	patch_list list = {0};
	int err = store_location_get(r->store, in->location, &l);
	*v = (struct repair_verdict){.kind = REPAIR_DIE, .location = in->location};
	if (!err)
		err = load_patches(r->store, in->location, &list);
	if (!err)
		err = decide(r, in, &l, &list, v);
	vec_free(&list);
	return err;
}
