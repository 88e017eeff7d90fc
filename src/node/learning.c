#include "node/learning_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/cfi.h"
#include "engine/module_go.h"
#include "node/procedures.h"
#include "node/progress.h"

enum { TICK_US = 20000, COMMIT_US = 2000000 };

static int64_t thread_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000ll + t.tv_nsec / 1000;
}

static struct module *module_by_key(struct supervisor *s, const struct module_key *key)
{
	for (size_t i = 0; i < s->families.count; i++) {
		struct loaded *l = image_module(&s->families.at[i]->image, key);
		if (l)
			return l->module;
	}
	return NULL;
}

static int code_get(void *context, const struct module_key *key, uint64_t entry, const struct procedure **out)
{
	struct module *m = module_by_key(context, key);
	const struct procedure *p = m ? procedures_get(m, entry) : NULL;
	*out = p;
	if (!m)
		return -EAGAIN;
	return p && p->entry == entry ? 0 : -2; /* a cold part belongs to another procedure */
}

/* A number for this state folder's counts, made once. */
static uint64_t node_number(const char *directory)
{
	char name[512];
	uint64_t number = 0;
	snprintf(name, sizeof name, "%s/node-id", directory);
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || read(fd, &number, sizeof number) != sizeof number) {
		if (getrandom(&number, sizeof number, 0) != sizeof number)
			number = clock_us();
		if (fd >= 0 && pwrite(fd, &number, sizeof number, 0) < 0)
			log_warning("can't write %s", name);
	}
	if (fd >= 0)
		close(fd);
	return number;
}

static int restore_state(void *context, const struct module_key *module, uint64_t procedure, const void *state, size_t size)
{
	learner_restore(context, module, procedure, state, size);
	return 0;
}

int learning_open(struct supervisor *s)
{
	if (!s->options.learn_full && !s->options.learn_percent)
		return 0;
	struct learning *g = calloc(1, sizeof *g);
	struct learner_config config;
	struct learner_code code = {s, code_get, NULL};
	if (!g)
		abort();
	learner_config_init(&config);
	config.node = node_number(store_directory(s->store));
	if (getrandom(&config.seed, sizeof config.seed, GRND_NONBLOCK) != sizeof config.seed)
		config.seed = clock_us();
	config.full = s->options.learn_full;
	config.budget_percent = s->options.learn_percent;
	g->supervisor = s;
	g->learner = learner_new(&config, &code);
	g->next_commit_us = clock_us() + COMMIT_US;
	s->learning = g;
	return store_procedure_states(s->store, restore_state, g->learner);
}

/* The C library and the dynamic loader: everybody's procedures, the hottest and the least telling. */
static bool is_worth_learning(const struct module *m)
{
	uint64_t offset;
	return !module_symbol(m, "__libc_start_main", &offset) && !module_symbol(m, "_dl_debug_state", &offset);
}

/* For probes, on the program's stacks. Go's are as large as its procedures need; those of other languages in a Go program aren't. */
static bool has_room(const struct module *m, uint64_t entry)
{
	struct cfi_rule rule;
	return !m->has_go || module_go_has_room(m, entry) || !cfi_rule(m, entry, &rule);
}

void learning_module_loaded(struct supervisor *s, struct family *f, struct loaded *l)
{
	struct learning *g = s->learning;
	if (!g || !l->zone || !is_worth_learning(l->module))
		return;
	for (size_t i = 0; i < l->module->range_count; i++) {
		if (!has_room(l->module, l->module->ranges[i].start))
			continue;
		uint32_t number = learner_add(g->learner, &l->module->key, l->module->ranges[i].start);
		if (l->module == f->program_module)
			learner_prefer(g->learner, number);
		while (g->candidates.count <= number)
			vec_push(&g->candidates, (struct candidate){0});
		g->candidates.at[number] = (struct candidate){l->module, l->module->ranges[i].start};
	}
	g->generation = 0; /* what is wanted may be here now */
}

static struct family_learning *of_family(struct learning *g, struct family *f)
{
	for (size_t i = 0; i < g->families.count; i++)
		if (g->families.at[i]->family == f)
			return g->families.at[i];
	struct family_learning *fresh = calloc(1, sizeof *fresh);
	if (!fresh || !(fresh->observed = calloc(PROBE_COUNT_MAX, sizeof *fresh->observed)))
		abort();
	fresh->family = f;
	fresh->tail = f->image.shared->ring_tail; /* a former supervisor may have read some */
	f->image.shared->ring_wait = g->supervisor->options.learn_full;
	vec_push(&g->families, fresh);
	return fresh;
}

static void drain_all(struct learning *g)
{
	for (size_t i = 0; i < g->families.count; i++)
		learning_drain(g, g->families.at[i]);
}

/* --- The store as the learner's sink. */

static int sink_begin(void *store)
{
	return store_begin(store);
}

static int sink_commit(void *store)
{
	return store_commit(store);
}

static void sink_rollback(void *store)
{
	store_rollback(store);
}

static int sink_state_get(void *store, const struct module_key *module, uint64_t procedure, void **state, size_t *size)
{
	return store_procedure_state_get(store, module, procedure, state, size);
}

static int sink_state_put(void *store, const struct module_key *module, uint64_t procedure, const void *state, size_t size)
{
	return store_procedure_state_put(store, module, procedure, state, size);
}

static int sink_invariants(void *store, const struct module_key *module, uint64_t procedure, state_invariant_visitor *visit, void *context)
{
	return store_invariants_of_procedure(store, module, procedure, visit, context);
}

static int sink_put(void *store, struct invariant *i)
{
	return store_invariant_put(store, i);
}

static int sink_delete(void *store, uint64_t id)
{
	return store_invariant_delete(store, id);
}

static void commit(struct learning *g)
{
	struct learner_sink sink = {g->supervisor->store, sink_begin,      sink_commit, sink_rollback, sink_state_get,
				    sink_state_put,       sink_invariants, sink_put,    sink_delete};
	int status = learner_commit_epoch(g->learner, &sink);
	if (status)
		log_warning("what was learned could not be stored: %s", store_error(g->supervisor->store));
	g->next_commit_us = clock_us() + COMMIT_US;
}

static void weave_wanted(struct learning *g, struct family *f, bool live)
{
	struct family_learning *fl = of_family(g, f);
	learning_follow(g, fl);
	learning_apply(fl, live);
}

static void weave_all_wanted(struct learning *g)
{
	if (learner_generation(g->learner) == g->generation)
		return;
	g->generation = learner_generation(g->learner);
	for (size_t i = 0; i < g->supervisor->families.count; i++)
		if (!g->supervisor->families.at[i]->is_traced)
			weave_wanted(g, g->supervisor->families.at[i], true);
}

/* How many the learner has decided about: a tick plans for a tenth of a second at most. */
static size_t settled_candidates(const struct learning *g)
{
	struct learner_stats stats;
	learner_stats(g->learner, &stats);
	return stats.wanted + stats.refused;
}

/* Before new code runs: full learning has everything woven, a budget its first batch, so that short programs are learned from, too. */
void learning_modules_ready(struct supervisor *s, struct family *f, bool live)
{
	enum { TICKS_MAX = 400 };
	struct learning *g = s->learning;
	if (!g || live)
		return;
	int64_t began = thread_us();
	size_t before;
	int ticks = 0;
	do {
		before = settled_candidates(g);
		learner_tick(g->learner, clock_us());
		progress("learning prepares", f->program, settled_candidates(g), g->candidates.count);
	} while (s->options.learn_full && settled_candidates(g) != before && ++ticks < TICKS_MAX);
	weave_wanted(g, f, live);
	learner_cost(g->learner, thread_us() - began);
}

void learning_tick(struct supervisor *s)
{
	struct learning *g = s->learning;
	if (!g)
		return;
	int64_t began = thread_us();
	drain_all(g);
	if (clock_us() >= g->next_tick_us) {
		learner_tick(g->learner, clock_us());
		g->next_tick_us = clock_us() + TICK_US;
	}
	weave_all_wanted(g);
	if (clock_us() >= g->next_commit_us)
		commit(g);
	learner_cost(g->learner, thread_us() - began);
}

void learning_failed(struct supervisor *s)
{
	if (!s->learning)
		return;
	drain_all(s->learning);
	learner_discard_epoch(s->learning->learner);
	s->learning->generation = 0;
}

void learning_module_unloaded(struct supervisor *s, struct family *f, struct loaded *l)
{
	for (size_t i = 0; s->learning && i < s->learning->families.count; i++) {
		struct family_learning *fl = s->learning->families.at[i];
		for (size_t k = 0; fl->family == f && k < fl->woven.count; k++)
			if (fl->woven.at[k].loaded == l)
				learning_forget(fl, k--);
	}
}

void learning_may_weave(struct supervisor *s)
{
	if (s->learning)
		s->learning->generation = 0;
}

void learning_family_ended(struct supervisor *s, struct family *f)
{
	struct learning *g = s->learning;
	for (size_t i = 0; g && i < g->families.count; i++) {
		struct family_learning *fl = g->families.at[i];
		if (fl->family != f)
			continue;
		learning_drain_rest(g, fl);
		log_debug("ring: %lu written, %lu read, %lu dropped", f->image.shared->ring_head, f->image.shared->ring_tail, f->image.shared->records_dropped);
		while (fl->woven.count)
			learning_forget(fl, 0);
		vec_free(&fl->woven);
		free(fl->observed);
		free(fl);
		g->families.at[i] = g->families.at[--g->families.count];
		return;
	}
}

static void log_statistics(const struct learning *g)
{
	struct learner_stats stats;
	learner_stats(g->learner, &stats);
	log_info("learning: %zu procedures, %zu refused, %zu wanted; %lu records, %lu executions, %lu calls beyond limits; %ld ms of CPU", stats.candidates,
		 stats.refused, stats.wanted, stats.records, stats.executions, stats.beyond, stats.cost_us / 1000);
}

void learning_close(struct supervisor *s)
{
	struct learning *g = s->learning;
	if (!g)
		return;
	drain_all(g);
	log_statistics(g);
	commit(g);
	learner_free(g->learner);
	vec_free(&g->candidates);
	vec_free(&g->families);
	free(g);
	s->learning = NULL;
}

unsigned learning_patience_ms(const struct supervisor *s)
{
	return s->learning ? s->options.learn_full ? 2 : 20 : 1000;
}
