/* From the guests' rings to the learner; and what must not wait meanwhile. */
#include "node/learning_private.h"

#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SOME = 2048, DRAINS_MAX = 2 * GUEST_RING / SOME };

static void module_range_of(const struct loaded *l, struct value_space *space)
{
	const struct module *m = l->module;
	const struct segment *last = &m->segments[m->segment_count - 1];
	*space = (struct value_space){.bias = l->bias, .start = m->segments[0].offset + l->bias, .end = last->offset + last->memory_size + l->bias};
}

/* Everything complete in the ring, up to some. A record that a dying thread never completed is waited for until the next one but many is there. False: that
 * was all. */
static bool drain_some(struct learning *g, struct family_learning *fl)
{
	struct guest_shared *shared = fl->family->image.shared;
	uint64_t tail = fl->tail, head = __atomic_load_n(&shared->ring_head, __ATOMIC_ACQUIRE);
	if (head - tail > GUEST_RING)
		tail = head - GUEST_RING; /* a guest has tampered with it */
	uint64_t end = head - tail > SOME ? tail + SOME : head;
	for (; tail != end; tail++) {
		struct guest_record *slot = &shared->ring[tail % GUEST_RING], r;
		if (__atomic_load_n(&slot->sequence, __ATOMIC_ACQUIRE) != (uint32_t)(tail / GUEST_RING + 1)) {
			if (head - tail < GUEST_RING / 2)
				break;
			continue;
		}
		memcpy(&r, slot, sizeof r);
		struct observed *o = &fl->observed[r.probe % PROBE_COUNT_MAX];
		if (!o->loaded || o->turn != PROBE_ID_TURN(r.probe))
			continue;
		struct value_space space;
		module_range_of(o->loaded, &space);
		learner_record(g->learner, o->procedure, o->generation, o->point, &space, &r);
	}
	bool is_all = tail == head || tail != end;
	if (tail != fl->tail)
		bell_answered(&g->supervisor->bell, fl->family->plan.bell_offset);
	fl->tail = tail;
	__atomic_store_n(&shared->ring_tail, tail, __ATOMIC_RELEASE);
	return !is_all;
}

static void note_losses(struct learning *g, struct family_learning *fl)
{
	uint64_t dropped = __atomic_load_n(&fl->family->image.shared->records_dropped, __ATOMIC_RELAXED);
	if (dropped != fl->dropped) {
		fl->dropped = dropped;
		learner_lost(g->learner);
	}
}

static uint64_t calls_beyond(struct family_learning *fl, uint32_t probe)
{
	const struct guest_probe *p = image_probe(&fl->family->image, probe);
	uint64_t runs = fl->family->image.shared->tally[probe].runs;
	return p->limit && !p->thins && runs > p->limit ? runs - p->limit : 0;
}

/* Landings come fast, the last one in this procedure. A springboard that it has no room for would be one too many here. */
static bool is_landed_on(const struct woven *w, uint64_t address)
{
	const struct redirected *r = image_redirected(w->loaded, w->entry);
	return r && r->passing && address - w->loaded->text.start < w->loaded->text.end - w->loaded->text.start &&
	       image_redirected(w->loaded, address - w->loaded->bias) == r;
}

static bool is_exhausted(struct family_learning *fl, const struct woven *w, uint64_t landing)
{
	if (landing && is_landed_on(w, landing))
		return true;
	for (size_t k = 0; k < w->probes.count; k++)
		if (calls_beyond(fl, w->probes.at[k]))
			return true;
	return false;
}

/* What a procedure delivered enough of, and what it cost to find that out. */
static void tell_exhausted(struct learning *g, struct family_learning *fl, const struct woven *w)
{
	VEC(uint32_t) points = {0};
	uint64_t calls = 0;
	for (size_t k = 0; k < w->probes.count; k++) {
		uint64_t beyond = calls_beyond(fl, w->probes.at[k]);
		if (beyond)
			vec_push(&points, fl->observed[w->probes.at[k]].point);
		calls += beyond;
	}
	learner_exhausted(g->learner, w->procedure, w->generation, points.at, points.count, calls);
	vec_free(&points);
}

/* Probes that have come to their limit are called all the same, often enough to make a program many times slower: they go out first, everything else
 * can wait. */
static void relieve(struct learning *g, struct family_learning *fl)
{
	struct guest_shared *shared = fl->family->image.shared;
	uint32_t exhausted = __atomic_load_n(&shared->exhausted, __ATOMIC_ACQUIRE);
	uint64_t landings = shared->landings, landing = 0;
	if (landings - fl->landings >= GUEST_LANDINGS_MANY / 2)
		landing = shared->last_landing;
	if ((exhausted == fl->exhausted && !landing) || g->supervisor->options.learn_full || fl->family->is_traced)
		return;
	if (!fl->family->image.redirect_all)
		learner_landings(g->learner, landings - fl->landings);
	fl->exhausted = exhausted;
	fl->landings = landings;
	for (size_t i = 0; i < fl->woven.count; i++)
		if (is_exhausted(fl, &fl->woven.at[i], landing))
			learning_unweave(fl, &fl->woven.at[i]);
	learning_apply(fl, true);
	__atomic_add_fetch(&shared->relieved, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &shared->relieved, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void learning_drain(struct learning *g, struct family_learning *fl)
{
	relieve(g, fl);
	for (size_t i = 0; i < fl->woven.count; i++)
		fl->woven.at[i].is_read = fl->woven.at[i].unwoven;
	for (unsigned n = 0; n < DRAINS_MAX && drain_some(g, fl); n++)
		relieve(g, fl);
	note_losses(g, fl);
	for (size_t i = 0; i < fl->woven.count; i++)
		if (fl->woven.at[i].is_read)
			tell_exhausted(g, fl, &fl->woven.at[i]);
	learning_forget_read(fl);
}

void learning_drain_rest(struct learning *g, struct family_learning *fl)
{
	for (unsigned n = 0; n < DRAINS_MAX && drain_some(g, fl); n++)
		;
	note_losses(g, fl);
}
