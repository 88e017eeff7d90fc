/* The learner's state machine, against a simulated guest whose procedures are the C library's. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "learn/learner.h"
#include "learn_compare.h"
#include "learn_sink.h"
#include "learn_trace.h"

enum { POOL = 40, TICK_US = 100000 };

struct guest {
	struct procedure *pool[POOL];
	struct learner *l;
	struct learner_config config;
	struct dice dice;
	int64_t now_us;
	unsigned decoded;
	bool idle[POOL]; /* never executed */
	bool absent;     /* the module isn't loaded */
};

static int get_procedure(void *context, const struct module_key *module, uint64_t entry, const struct procedure **out)
{
	struct guest *g = context;
	if (g->absent)
		return -EAGAIN;
	for (int i = 0; i < POOL; i++)
		if (g->pool[i]->entry == entry) {
			g->decoded++;
			*out = g->pool[i];
			return 0;
		}
	return -1;
}

static bool is_known(const struct guest *g, int count, uint64_t entry)
{
	for (int i = 0; i < count; i++)
		if (g->pool[i]->entry == entry)
			return true;
	return false;
}

static void guest_init(struct guest *g, uint64_t seed)
{
	*g = (struct guest){.dice = {seed}};
	for (int i = 0; i < POOL; i++) {
		g->pool[i] = code_library_procedure(&g->dice, 60);
		while (is_known(g, i, g->pool[i]->entry)) {
			procedure_free(g->pool[i]);
			g->pool[i] = code_library_procedure(&g->dice, 60);
		}
	}
	learner_config_init(&g->config);
	g->config.node = 1;
}

static void guest_learn(struct guest *g, int candidates)
{
	struct learner_code code = {g, get_procedure, NULL};
	g->l = learner_new(&g->config, &code);
	for (int i = 0; i < candidates; i++)
		assert_int_equal(learner_add(g->l, &code_library()->key, g->pool[i]->entry), i);
}

static void guest_release(struct guest *g)
{
	learner_free(g->l);
	for (int i = 0; i < POOL; i++)
		procedure_free(g->pool[i]);
}

/* Executes a wanted procedure: its active points give about that many records, if it is ever executed. */
static void execute(struct guest *g, const struct learner_want *w, size_t records)
{
	struct trace t = {0};
	if (g->idle[w->procedure])
		return;
	trace_make(&t, &g->dice, g->pool[w->procedure], w->plan, records);
	for (size_t i = 0; i < t.count; i++)
		if (w->active[t.at[i].point])
			learner_record(g->l, w->procedure, w->generation, t.at[i].point, &trace_space, &t.at[i].record);
	trace_release(&t);
}

static void tick(struct guest *g, size_t records_each)
{
	size_t count;
	g->now_us += TICK_US;
	learner_tick(g->l, g->now_us);
	const struct learner_want *w = learner_wanted(g->l, &count);
	for (size_t i = 0; i < count; i++)
		execute(g, &w[i], records_each);
}

static size_t phase_count(const struct guest *g, enum learn_phase phase)
{
	struct learner_stats s;
	learner_stats(g->l, &s);
	return s.by_phase[phase];
}

static size_t wanted_count(const struct guest *g)
{
	size_t count;
	learner_wanted(g->l, &count);
	return count;
}

static void goes_from_new_to_settled_and_back(void **state)
{
	struct guest g;
	struct sink s;
	guest_init(&g, 21);
	sink_init(&s);
	guest_learn(&g, 1);
	bool confirmed = false;
	assert_int_equal(phase_count(&g, PHASE_NEW), 1);
	for (int i = 0; i < 1000 && !phase_count(&g, PHASE_SETTLED); i++) {
		tick(&g, 200);
		confirmed |= phase_count(&g, PHASE_CONFIRM);
	}
	assert_true(confirmed);
	assert_int_equal(phase_count(&g, PHASE_SETTLED), 1);
	assert_int_equal(wanted_count(&g), 0);
	assert_int_equal(s.row_count, 0); /* nothing reaches the store before the epoch is committed */
	assert_int_equal(learner_commit_epoch(g.l, &s.functions), 0);
	assert_int_equal(s.row_count, 1);
	assert_true(s.invariants.count > 0);
	g.now_us += g.config.revisit_us;
	tick(&g, 0);
	assert_int_equal(wanted_count(&g), 1);
	assert_int_equal(phase_count(&g, PHASE_OBSERVE), 1);
	sink_release(&s);
	guest_release(&g);
}

static void confirms_only_what_is_alive(void **state)
{
	struct guest g;
	size_t count, active = 0, points = 0;
	guest_init(&g, 22);
	g.config.confirm_executions = 1 << 20;
	guest_learn(&g, POOL);
	for (int i = 0; i < 400 && phase_count(&g, PHASE_CONFIRM) < POOL / 2; i++)
		tick(&g, 300);
	const struct learner_want *w = learner_wanted(g.l, &count);
	for (size_t i = 0; i < count; i++) {
		size_t mine = 0;
		for (size_t p = 0; p < w[i].plan->point_count; p++) {
			mine += w[i].active[p];
			assert_true(w[i].active[p] || !w[i].plan->points[p].is_entry);
		}
		active += mine;
		points += w[i].plan->point_count;
		assert_true(w[i].entry_limit > 0);
	}
	assert_true(active > 0 && active < points);
	guest_release(&g);
}

static void throws_a_failed_epoch_away(void **state)
{
	struct guest g;
	struct sink s;
	guest_init(&g, 23);
	sink_init(&s);
	guest_learn(&g, 4);
	for (int i = 0; i < 50; i++)
		tick(&g, 100);
	learner_discard_epoch(g.l);
	assert_int_equal(learner_commit_epoch(g.l, &s.functions), 0);
	assert_int_equal(s.row_count, 0);
	assert_int_equal(s.invariants.count, 0);
	for (int i = 0; i < 1000 && phase_count(&g, PHASE_SETTLED) < 4; i++)
		tick(&g, 200);
	assert_int_equal(phase_count(&g, PHASE_SETTLED), 4); /* learned again */
	assert_int_equal(learner_commit_epoch(g.l, &s.functions), 0);
	assert_int_equal(s.row_count, 4);
	learner_discard_epoch(g.l); /* what was committed stays */
	assert_int_equal(phase_count(&g, PHASE_SETTLED), 4);
	sink_release(&s);
	guest_release(&g);
}

/* One guest, two learners: one keeps all of it in one epoch, the other one's commits fail again and again. */
static void loses_nothing_when_the_store_fails(void **state)
{
	for (int failing = 1; failing < 60; failing += 3) {
		struct guest g;
		struct sink s;
		struct state stored;
		guest_init(&g, 24);
		sink_init(&s);
		g.config.full = true;
		guest_learn(&g, 3);
		struct learner_stats stats;
		uint64_t executions = 0;
		for (int i = 0; i < 4; i++) {
			tick(&g, 60);
			s.calls_until_failure = failing;
			size_t rows = s.row_count, invariants = s.invariants.count;
			if (learner_commit_epoch(g.l, &s.functions)) {
				assert_int_equal(s.row_count, rows);
				assert_int_equal(s.invariants.count, invariants);
			}
		}
		s.calls_until_failure = 0;
		assert_int_equal(learner_commit_epoch(g.l, &s.functions), 0);
		learner_stats(g.l, &stats);
		for (int i = 0; i < 3; i++)
			if (sink_state(&s, g.pool[i]->entry, &stored)) {
				executions += tally_total(&stored.executions);
				state_release(&stored);
			}
		assert_int_equal(executions, stats.executions);
		sink_release(&s);
		guest_release(&g);
	}
}

/* The same records through one learner in one epoch, or through two nodes in many: the same invariants are stored. */
static void nodes_and_epochs_add_up(void **state)
{
	struct guest g;
	struct sink once, often;
	struct learner_code code = {&g, get_procedure, NULL};
	struct learner *node[3];
	size_t count;
	guest_init(&g, 25);
	sink_init(&once);
	sink_init(&often);
	g.config.full = true;
	for (int n = 0; n < 3; n++) {
		g.config.node = n + 1;
		node[n] = learner_new(&g.config, &code);
		learner_add(node[n], &code_library()->key, g.pool[0]->entry);
		learner_tick(node[n], 1);
	}
	const struct learner_want *w = learner_wanted(node[0], &count);
	assert_int_equal(count, 1);
	for (int part = 0; part < 8; part++) {
		struct trace t = {0};
		trace_make(&t, &g.dice, g.pool[0], w->plan, 80);
		struct learner *other = node[1 + part % 2];
		size_t n;
		uint32_t generation = learner_wanted(other, &n)->generation;
		for (size_t i = 0; i < t.count; i++) {
			learner_record(node[0], 0, w->generation, t.at[i].point, &trace_space, &t.at[i].record);
			learner_record(other, 0, generation, t.at[i].point, &trace_space, &t.at[i].record);
		}
		learner_lost(node[0]); /* activations end here for both, so that no pair spans parts */
		learner_lost(other);
		assert_int_equal(learner_commit_epoch(other, &often.functions), 0);
		trace_release(&t);
	}
	assert_int_equal(learner_commit_epoch(node[0], &once.functions), 0);
	assert_true(once.invariants.count > 5);
	assert_true(set_equal(&once.invariants, &often.invariants, false));
	for (size_t i = 0; i < often.invariants.count; i++)
		assert_true(often.invariants.at[i].samples >= once.invariants.at[i].samples / 2);
	for (int n = 0; n < 3; n++)
		learner_free(node[n]);
	g.l = NULL;
	sink_release(&once);
	sink_release(&often);
	guest_release(&g);
}

static size_t count_one_of(const struct invariant_set *set)
{
	size_t n = 0;
	for (size_t i = 0; i < set->count; i++)
		n += set->at[i].kind == INVARIANT_ONE_OF && set->at[i].a.slot != SLOT_RETURN;
	return n;
}

static void merging_a_foreign_state_updates_invariants(void **state)
{
	struct guest g;
	struct sink s;
	struct state foreign;
	guest_init(&g, 26);
	sink_init(&s);
	g.config.full = true;
	guest_learn(&g, 8);
	tick(&g, 300);
	assert_int_equal(learner_commit_epoch(g.l, &s.functions), 0);
	assert_true(count_one_of(&s.invariants) > 0);
	for (int i = 0; i < 8; i++) {
		assert_true(sink_state(&s, g.pool[i]->entry, &foreign));
		for (size_t v = 0; v < foreign.variable_count; v++)
			if (foreign.variables[v].slot != SLOT_RETURN)
				foreign.variables[v].one_of = (struct one_of){.dropped = true};
		assert_int_equal(learner_merge(&s.functions, &foreign, 2), 0);
		state_release(&foreign);
	}
	assert_int_equal(count_one_of(&s.invariants), 0);
	assert_true(s.invariants.count > 0);
	sink_release(&s);
	guest_release(&g);
}

/* Records are the only cost here. Over a long time they stay within the budget, beside what the bucket holds, and the budget is made use of. */
static void stays_within_its_budget(void **state)
{
	struct guest g;
	struct learner_stats stats;
	guest_init(&g, 27);
	g.config.budget_percent = 5;
	g.config.record_cost_ns = 20000;
	g.config.observe_executions = 1 << 30; /* never done */
	guest_learn(&g, POOL);
	for (int i = 0; i < 400; i++)
		tick(&g, 30);
	learner_stats(g.l, &stats);
	int64_t budget = g.now_us * 5 / 100;
	assert_true(stats.cost_us < budget * 13 / 10 + 100000);
	assert_true(stats.cost_us > budget / 3);
	learner_cost(g.l, 100000000); /* one dear step: everything that runs leaves, and comes back later */
	for (int i = 0; i < 10; i++)
		tick(&g, 30);
	assert_int_equal(wanted_count(&g), 0);
	for (int i = 0; i < 400; i++)
		tick(&g, 1);
	assert_true(wanted_count(&g) > 0);
	guest_release(&g);
}

static void observes_every_procedure_in_its_turn(void **state)
{
	struct guest g;
	struct sink s;
	guest_init(&g, 28);
	sink_init(&s);
	g.config.batch_max = 4;
	g.config.record_cost_ns = 0;
	for (int i = 0; i < POOL; i += 2)
		g.idle[i] = true;
	guest_learn(&g, POOL);
	unsigned most = 0;
	for (int i = 0; i < 3000; i++) {
		tick(&g, 100);
		most = wanted_count(&g) > most ? wanted_count(&g) : most;
	}
	assert_int_equal(most, 4);
	assert_int_equal(phase_count(&g, PHASE_SETTLED) + phase_count(&g, PHASE_OBSERVE) + phase_count(&g, PHASE_CONFIRM) >= POOL / 2, 1);
	assert_int_equal(learner_commit_epoch(g.l, &s.functions), 0);
	assert_int_equal(s.row_count, POOL / 2);
	sink_release(&s);
	guest_release(&g);
}

static void full_mode_observes_everything(void **state)
{
	struct guest g;
	size_t count;
	guest_init(&g, 29);
	g.config.full = true;
	guest_learn(&g, POOL);
	for (int i = 0; i < 30; i++)
		tick(&g, 100);
	const struct learner_want *w = learner_wanted(g.l, &count);
	assert_int_equal(count, POOL);
	assert_int_equal(phase_count(&g, PHASE_OBSERVE), POOL);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(w[i].procedure, i);
		assert_int_equal(w[i].entry_limit, 0);
		for (size_t p = 0; p < w[i].plan->point_count; p++)
			assert_true(w[i].active[p]);
	}
	guest_release(&g);
}

static void ignores_what_is_late_or_wrong(void **state)
{
	struct guest g;
	struct learner_stats before, after;
	struct guest_record r = {0};
	size_t count;
	guest_init(&g, 30);
	guest_learn(&g, 2);
	tick(&g, 0);
	const struct learner_want *w = learner_wanted(g.l, &count);
	learner_stats(g.l, &before);
	learner_record(g.l, 99, 1, 0, &trace_space, &r);
	learner_record(g.l, 0, w->generation + 1, 0, &trace_space, &r);
	learner_record(g.l, 0, w->generation, 1 << 20, &trace_space, &r);
	learner_stats(g.l, &after);
	assert_int_equal(before.records, after.records);
	uint64_t generation = learner_generation(g.l);
	learner_refuse(g.l, 0);
	assert_true(learner_generation(g.l) != generation);
	learner_wanted(g.l, &count);
	assert_int_equal(count, 1);
	struct module_key other = {"elsewhere"};
	uint32_t unknown = learner_add(g.l, &other, 0x1234); /* can't be decoded */
	for (int i = 0; i < 20; i++)
		tick(&g, 10);
	learner_stats(g.l, &after);
	assert_int_equal(after.refused, 2);
	assert_int_equal(unknown, 2);
	guest_release(&g);
}

/* A program that has ended may be started again. */
static void waits_for_modules_to_come_back(void **state)
{
	struct guest g;
	struct learner_stats stats;
	guest_init(&g, 33);
	g.absent = true;
	guest_learn(&g, POOL);
	for (int i = 0; i < 30; i++)
		tick(&g, 10);
	learner_stats(g.l, &stats);
	assert_int_equal(stats.refused, 0);
	assert_int_equal(stats.wanted, 0);
	g.absent = false;
	for (int i = 0; i < 30; i++)
		tick(&g, 10);
	assert_true(wanted_count(&g) > 0);
	guest_release(&g);
}

static size_t active_count(const struct learner_want *w)
{
	size_t count = 0;
	for (uint32_t p = 0; p < w->plan->point_count; p++)
		count += w->active[p];
	return count;
}

/* A loop that is entered once: its points come to their limits, the entry doesn't. They rest while the others have another chance, and then all is settled. */
static void rests_what_is_exhausted(void **state)
{
	struct guest g;
	size_t count;
	uint32_t point = 0;
	guest_init(&g, 34);
	guest_learn(&g, 1);
	tick(&g, 20);
	const struct learner_want *w = learner_wanted(g.l, &count);
	assert_int_equal(count, 1);
	while (w->plan->points[point].is_entry)
		point++;
	size_t active = active_count(w);
	learner_exhausted(g.l, 0, w->generation + 1, &point, 1, 0); /* of another generation */
	assert_int_equal(wanted_count(&g), 1);
	learner_exhausted(g.l, 0, w->generation, &point, 1, 0);
	assert_int_equal(wanted_count(&g), 0);
	for (int i = 0; i < 10 && !wanted_count(&g); i++)
		tick(&g, 0);
	w = learner_wanted(g.l, &count);
	assert_int_equal(count, 1);
	assert_int_equal(phase_count(&g, PHASE_CONFIRM), 1);
	assert_false(w->active[point]);
	assert_in_range(active_count(w), 1, active - 1);
	learner_exhausted(g.l, 0, w->generation, &point, 1, 0);
	assert_int_equal(phase_count(&g, PHASE_SETTLED), 1);
	g.now_us += g.config.revisit_us;
	for (int i = 0; i < 10 && !wanted_count(&g); i++)
		tick(&g, 0);
	w = learner_wanted(g.l, &count);
	assert_int_equal(count, 1);
	assert_int_equal(active_count(w), active);
	guest_release(&g);
}

/* Calls that nobody wanted, and traps, are paid from the same purse. */
static void calls_beyond_limits_cost(void **state)
{
	struct guest g;
	struct learner_stats before, after;
	guest_init(&g, 35);
	guest_learn(&g, 1);
	tick(&g, 0);
	learner_stats(g.l, &before);
	learner_exhausted(g.l, 0, 0, NULL, 0, 1000000);
	learner_landings(g.l, 1000);
	learner_stats(g.l, &after);
	assert_int_equal(after.beyond - before.beyond, 1000000);
	assert_in_range(after.cost_us - before.cost_us, 10000, 100000);
	guest_release(&g);
}

static void prefers_the_never_observed(void **state)
{
	struct guest g;
	struct sink s;
	size_t count;
	guest_init(&g, 31);
	sink_init(&s);
	g.config.full = true;
	guest_learn(&g, 2);
	tick(&g, 100);
	assert_int_equal(learner_commit_epoch(g.l, &s.functions), 0);
	learner_free(g.l);
	g.config.full = false;
	g.config.batch_max = 2;
	guest_learn(&g, 4);
	for (size_t i = 0; i < s.row_count; i++)
		learner_restore(g.l, &code_library()->key, s.rows[i].procedure, s.rows[i].bytes, s.rows[i].size);
	tick(&g, 0);
	const struct learner_want *w = learner_wanted(g.l, &count);
	assert_int_equal(count, 2);
	assert_int_equal(w[0].procedure, 2);
	assert_int_equal(w[1].procedure, 3);
	sink_release(&s);
	guest_release(&g);
}

static void memory_is_bounded(void **state)
{
	struct guest g;
	struct learner_stats stats;
	guest_init(&g, 32);
	g.config.full = true;
	g.config.memory_max = 256 << 10;
	guest_learn(&g, POOL);
	for (int i = 0; i < 20; i++)
		tick(&g, 50);
	learner_stats(g.l, &stats);
	assert_true(stats.starved > 0);
	assert_true(stats.records > 0);
	assert_true(stats.memory < 512 << 10);
	guest_release(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_from_new_to_settled_and_back),
		cmocka_unit_test(confirms_only_what_is_alive),
		cmocka_unit_test(throws_a_failed_epoch_away),
		cmocka_unit_test(loses_nothing_when_the_store_fails),
		cmocka_unit_test(nodes_and_epochs_add_up),
		cmocka_unit_test(merging_a_foreign_state_updates_invariants),
		cmocka_unit_test(stays_within_its_budget),
		cmocka_unit_test(observes_every_procedure_in_its_turn),
		cmocka_unit_test(full_mode_observes_everything),
		cmocka_unit_test(ignores_what_is_late_or_wrong),
		cmocka_unit_test(waits_for_modules_to_come_back),
		cmocka_unit_test(rests_what_is_exhausted),
		cmocka_unit_test(calls_beyond_limits_cost),
		cmocka_unit_test(prefers_the_never_observed),
		cmocka_unit_test(memory_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
