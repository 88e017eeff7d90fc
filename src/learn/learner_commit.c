/* From the epoch's samples to the store. */
#include "learn/learner_private.h"

#include <errno.h>
#include <string.h>

#include "learn/evaluate.h"

/* --- Invariants: those of the merged state are put, those that are stored and hold no more are deleted. What is stored with the same bounds, and
 * at least half the samples, is left as it is: epochs are many, and most of them change little. */

struct update {
	VEC(struct invariant) now; /* id: the stored one that needs no change */
	VEC(uint64_t) gone;
};

static int collect_now(void *context, const struct invariant *i)
{
	struct update *u = context;
	vec_push(&u->now, *i);
	return 0;
}

static uint64_t key_hash(const struct invariant *i)
{
	uint64_t h = i->a.at.offset * 0x9e3779b97f4a7c15u + i->a.slot;
	if (i->kind == INVARIANT_LESS_THAN)
		h = (h ^ i->b.at.offset) * 0xff51afd7ed558ccdu + i->b.slot;
	return (h + i->kind) * 0x9e3779b97f4a7c15u;
}

static int order_keys(const void *a, const void *b)
{
	uint64_t x = key_hash(a), y = key_hash(b);
	return x < y ? -1 : x > y;
}

/* What the merged state says of a stored one's variables and kind. */
static struct invariant *find_now(const struct update *u, const struct invariant *stored)
{
	size_t low = 0, high = u->now.count;
	uint64_t key = key_hash(stored);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (key_hash(&u->now.at[middle]) < key)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < u->now.count && key_hash(&u->now.at[low]) == key; low++)
		if (invariant_same(&u->now.at[low], stored))
			return &u->now.at[low];
	return NULL;
}

static bool same_bounds(const struct invariant *i, const struct invariant *j)
{
	return i->bound == j->bound && i->count == j->count && i->relative == j->relative && i->a_is_later == j->a_is_later
		&& !memcmp(i->value, j->value, i->count * sizeof *i->value);
}

static int compare_stored(void *context, const struct invariant *stored)
{
	struct update *u = context;
	struct invariant *now = find_now(u, stored);
	if (!now)
		vec_push(&u->gone, stored->id);
	else if (same_bounds(now, stored) && stored->samples >= now->samples / 2)
		now->id = stored->id;
	return 0;
}

static int update_invariants(const struct learner_sink *sink, const struct state *s, uint64_t min_samples)
{
	struct update u = {0};
	state_invariants(s, min_samples, collect_now, &u);
	if (u.now.count)
		qsort(u.now.at, u.now.count, sizeof *u.now.at, order_keys);
	int error = sink->invariants(sink->context, &s->module, s->procedure, compare_stored, &u);
	for (size_t i = 0; i < u.gone.count && !error; i++)
		error = sink->invariant_delete(sink->context, u.gone.at[i]);
	for (size_t i = 0; i < u.now.count && !error; i++)
		if (!u.now.at[i].id)
			error = sink->invariant_put(sink->context, &u.now.at[i]);
	vec_free(&u.now);
	vec_free(&u.gone);
	return error;
}

/* --- States */

/* What is stored; the empty state where there is nothing, or nothing readable. */
static int load(const struct learner_sink *sink, const struct module_key *module, uint64_t procedure, struct state *out)
{
	void *bytes = NULL;
	size_t size = 0;
	*out = (struct state){.module = *module, .procedure = procedure};
	int error = sink->state_get(sink->context, module, procedure, &bytes, &size);
	if (error)
		return error == -ENOENT ? 0 : error;
	bool usable = !state_decode(bytes, size, out) && out->procedure == procedure && !memcmp(out->module.hex, module->hex, sizeof module->hex);
	if (!usable) {
		state_release(out);
		*out = (struct state){.module = *module, .procedure = procedure};
	}
	free(bytes);
	return 0;
}

static int save(const struct learner_sink *sink, const struct state *s, uint64_t min_samples)
{
	void *bytes;
	size_t size;
	state_encode(s, &bytes, &size);
	int error = sink->state_put(sink->context, &s->module, s->procedure, bytes, size);
	free(bytes);
	return error ? error : update_invariants(sink, s, min_samples);
}

int learner_merge(const struct learner_sink *sink, const struct state *from, uint64_t min_samples)
{
	struct state s;
	int error = load(sink, &from->module, from->procedure, &s);
	if (error)
		return error;
	state_join(&s, from);
	error = save(sink, &s, min_samples);
	state_release(&s);
	return error;
}

static int commit_candidate(const struct learner *l, const struct candidate *c, const struct learner_sink *sink)
{
	struct state s;
	int error = load(sink, &c->module, c->entry, &s);
	if (error)
		return error;
	infer_add_to(c->infer, l->config.node, &s);
	if (c->phase > s.phase)
		s.phase = c->phase;
	if (c->visits > s.visits)
		s.visits = c->visits;
	error = save(sink, &s, l->config.min_samples);
	state_release(&s);
	return error;
}

static bool has_news(const struct candidate *c)
{
	return c->infer && (infer_records(c->infer) || c->phase != c->committed_phase);
}

static int write_all(const struct learner *l, const struct learner_sink *sink)
{
	int error = 0;
	for (size_t i = 0; i < l->candidates.count && !error; i++)
		if (has_news(&l->candidates.at[i]))
			error = commit_candidate(l, &l->candidates.at[i], sink);
	return error;
}

static void begin_epoch(struct learner *l)
{
	for (size_t i = 0; i < l->candidates.count; i++) {
		struct candidate *c = &l->candidates.at[i];
		if (!c->infer)
			continue;
		c->committed_phase = c->phase;
		c->committed_visits = c->visits;
		infer_begin_epoch(c->infer);
		if (!c->wanted)
			candidate_release(l, c);
	}
}

int learner_commit_epoch(struct learner *l, const struct learner_sink *sink)
{
	int error = sink->begin(sink->context);
	if (error)
		return error;
	error = write_all(l, sink);
	if (error) {
		sink->rollback(sink->context);
		return error;
	}
	error = sink->commit(sink->context);
	if (!error)
		begin_epoch(l);
	return error;
}
