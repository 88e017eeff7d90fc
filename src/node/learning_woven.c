/* Observing probes in the text of families: woven as the learner wants, taken out when they have delivered enough. */
#include "node/learning_private.h"

#include "node/guard.h"

enum { FULL_LIMIT = 300, OWNER_BASE = 0x40000000, LEFT_FOR_OTHERS = 24 << 20 };

void learning_forget(struct family_learning *fl, size_t i)
{
	for (size_t k = 0; k < fl->woven.at[i].probes.count; k++)
		fl->observed[fl->woven.at[i].probes.at[k]].loaded = NULL;
	vec_free(&fl->woven.at[i].probes);
	fl->woven.at[i] = fl->woven.at[--fl->woven.count];
}

void learning_unweave(struct family_learning *fl, struct woven *w)
{
	struct image *im = &fl->family->image;
	const struct redirected *r = image_redirected(w->loaded, w->entry);
	if (w->unwoven)
		return;
	for (size_t k = 0; k < w->probes.count; k++)
		__atomic_store_n(&image_probe(im, w->probes.at[k])->enabled, 0, __ATOMIC_RELEASE);
	image_unwish_procedure(im, w->loaded, w->entry, OWNER_BASE + w->procedure);
	w->copy = r ? r->copy : NULL;
	w->unwoven = fl->changed = true;
}

/* Threads are still in the copy, for long where it has a loop. The firewall would judge how they come back to the text. */
static void send_threads_home(struct family_learning *fl, const struct woven *w)
{
	struct image *im = &fl->family->image;
	const struct redirected *r = image_redirected(w->loaded, w->entry);
	bool is_old = !r || r->leaving || r->copy != w->copy;
	for (size_t k = 0; k < w->probes.count && is_old && w->copy && !im->tables->firewall; k++)
		image_probe_leaves(im, w->probes.at[k]);
}

void learning_apply(struct family_learning *fl, bool live)
{
	if (fl->changed)
		family_apply(fl->family, live);
	fl->changed = false;
	for (size_t i = 0; i < fl->woven.count; i++)
		if (fl->woven.at[i].unwoven)
			send_threads_home(fl, &fl->woven.at[i]);
}

void learning_forget_read(struct family_learning *fl)
{
	for (size_t i = 0; i < fl->woven.count; i++) {
		struct woven *w = &fl->woven.at[i];
		if (!w->is_read)
			continue;
		for (size_t k = 0; k < w->probes.count; k++)
			image_probe_free(&fl->family->image, w->probes.at[k]);
		learning_forget(fl, i--);
	}
}

static void weave_point(struct learning *g, struct family_learning *fl, struct woven *w, const struct learner_want *want, uint32_t point)
{
	struct image *im = &fl->family->image;
	const struct plan_point *at = &want->plan->points[point];
	uint32_t number = image_probe_new(im);
	if (!number)
		return;
	struct guest_probe *p = image_probe(im, number);
	p->work = PROBE_OBSERVE;
	p->limit = g->supervisor->options.learn_full ? FULL_LIMIT : at->is_entry ? want->entry_limit : want->point_limit;
	p->thins = g->supervisor->options.learn_full;
	p->earlier = at->is_entry ? 0 : w->entry_probe;
	p->operand_count = plan_operands(want->plan, point, p->operand);
	for (unsigned i = 0; i < p->operand_count; i++)
		p->operand[i] = guard_operand(&p->operand[i], w->loaded);
	guard_activation(p, w->loaded->module, at->offset);
	struct weave weave = {.offset = at->offset, .place = WEAVE_BEFORE, .resume = RESUME_TEXT, .probe = number};
	if (image_wish(im, w->loaded, &weave, OWNER_BASE + want->procedure)) {
		image_probe_free(im, number);
		return;
	}
	fl->observed[number] = (struct observed){want->procedure, want->generation, point, p->turn, w->loaded};
	vec_push(&w->probes, number);
	if (at->is_entry)
		w->entry_probe = number;
	p->enabled = 1;
}

static void weave_want(struct learning *g, struct family_learning *fl, const struct learner_want *want)
{
	struct woven w = {.procedure = want->procedure, .generation = want->generation, .entry = want->plan->procedure, .still_wanted = true};
	w.loaded = image_module(&fl->family->image, &want->plan->module);
	if (!w.loaded || !w.loaded->zone)
		return;
	if (!g->supervisor->options.learn_full && zone_left(w.loaded->zone) < LEFT_FOR_OTHERS)
		return; /* copies are never given back, and patches need some, too */
	for (uint32_t k = 0; k < want->plan->point_count; k++)
		if (want->active[k])
			weave_point(g, fl, &w, want, k);
	vec_push(&fl->woven, w);
	fl->changed = true;
}

/* It may have been taken out already, and the learner doesn't know yet. */
static struct woven *find_woven(struct family_learning *fl, const struct learner_want *want)
{
	for (size_t i = 0; i < fl->woven.count; i++)
		if (fl->woven.at[i].procedure == want->procedure && fl->woven.at[i].generation == want->generation)
			return &fl->woven.at[i];
	return NULL;
}

void learning_follow(struct learning *g, struct family_learning *fl)
{
	size_t count;
	const struct learner_want *wants = learner_wanted(g->learner, &count);
	for (size_t i = 0; i < fl->woven.count; i++)
		fl->woven.at[i].still_wanted = false;
	for (size_t i = 0; i < count; i++) {
		struct woven *w = find_woven(fl, &wants[i]);
		if (w)
			w->still_wanted = true;
	}
	for (size_t i = 0; i < fl->woven.count; i++)
		if (!fl->woven.at[i].still_wanted)
			learning_unweave(fl, &fl->woven.at[i]);
	for (size_t i = 0; i < count; i++)
		if (!find_woven(fl, &wants[i]))
			weave_want(g, fl, &wants[i]);
}
