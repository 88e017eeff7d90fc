#include "repair_sim_private.h"

#include "repair/correlate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct point sim_point(size_t defect)
{
	return (struct point){sim_module, procedure_of(defect) + LOCATION};
}

/* --- Life cycle. */

static void open_repair(struct sim *s, const char *directory)
{
	const struct repair_host host = sim_host(s);
	assert_int_equal(store_open(directory, &s->store), 0);
	assert_int_equal(repair_open(s->store, &host, &s->settings, &s->repair), 0);
	assert_int_equal(repair_start(s->repair), 0);
}

void sim_open(struct sim *s, const char *directory, const struct sim_defect *defects, size_t count, int64_t *now_us, pid_t first_pid)
{
	*s = (struct sim){.settings = repair_settings_default, .defects = defects, .defect_count = count, .now_us = now_us,
			  .pid = first_pid, .next_pid = first_pid + 1};
	open_repair(s, directory);
}

void sim_close(struct sim *s)
{
	repair_close(s->repair);
	store_close(s->store);
}

void sim_restart_supervisor(struct sim *s, const char *directory)
{
	sim_close(s);
	s->patch_count = s->check_count = 0;
	open_repair(s, directory);
}

/* --- Learning. */

static void put(struct sim *s, struct invariant *i, const int64_t *values, uint32_t count)
{
	i->count = i->kind == INVARIANT_ONE_OF ? count : 0;
	if (i->kind == INVARIANT_ONE_OF)
		memcpy(i->value, values, count * sizeof *values);
	else
		i->bound = values[0];
	i->samples = 100;
	assert_int_equal(store_invariant_put(s->store, i), 0);
}

static struct invariant invariant_at(size_t defect, uint64_t offset, uint8_t slot, enum invariant_kind kind)
{
	struct invariant i = {.kind = kind, .procedure = procedure_of(defect)};
	i.a.at = (struct point){sim_module, procedure_of(defect) + offset};
	i.a.slot = slot;
	i.a.operand = (struct operand){.kind = OPERAND_REGISTER, .size = 8, .reg = REG_RDI, .base = REG_NONE, .index = REG_NONE};
	return i;
}

/* The last one stands at the failing instruction itself. */
static uint64_t offset_of_invariant(unsigned n)
{
	return n == SIM_INVARIANTS - 1 ? LOCATION : n * 8;
}

void sim_learn(struct sim *s, size_t defect, unsigned n, enum invariant_kind kind, const int64_t *values, uint32_t count)
{
	struct invariant i = invariant_at(defect, offset_of_invariant(n), 0, kind);
	put(s, &i, values, count);
}

void sim_learn_return(struct sim *s, size_t defect, const int64_t *values, uint32_t count)
{
	struct invariant i = invariant_at(defect, 0xff0, SLOT_RETURN, INVARIANT_ONE_OF);
	put(s, &i, values, count);
}

static bool is_violated(const struct sim *s, size_t defect, const struct invariant *i)
{
	uint64_t offset = invariant_point(i)->offset - procedure_of(defect);
	if (i->procedure != procedure_of(defect))
		return false;
	for (unsigned n = 0; n < SIM_INVARIANTS; n++)
		if (offset_of_invariant(n) == offset)
			return s->defects[defect].violated >> n & 1;
	return false;
}

static void run_checks(struct sim *s, size_t defect, bool attack)
{
	for (size_t n = 0; n < s->check_count; n++) {
		struct sim_check *c = &s->checks[n];
		if (c->check.invariant.procedure != procedure_of(defect))
			continue;
		bool violated = attack && is_violated(s, defect, &c->check.invariant);
		c->tally.violated += violated;
		c->tally.satisfied += !violated;
		c->tally.last = violated ? CHECK_VIOLATED : CHECK_SATISFIED;
	}
}

/* --- Failing. */

static void push_frame(struct failure *f, uint64_t at, uint64_t procedure, uint64_t cfa)
{
	f->stack[f->depth++] = (struct frame){{sim_module, at}, procedure, at, cfa};
}

/* skip frames: a return has left so many of the procedures below. */
static void push_stack(struct failure *f, size_t defect, unsigned skip)
{
	if (skip < 1)
		push_frame(f, sim_point(defect).offset, procedure_of(defect), CFA);
	if (skip < 2)
		push_frame(f, CALLER + 0x10 + defect, CALLER, CALLER_CFA);
	if (skip < 3)
		push_frame(f, HANDLER + 0x10, HANDLER, HANDLER_CFA);
	push_frame(f, MAIN + 0x10, MAIN, MAIN_CFA);
}

struct failure sim_failure(struct sim *s, size_t defect)
{
	const struct sim_defect *d = &s->defects[defect];
	struct failure f = {.monitor = d->monitor, .signal = d->signal, .at = sim_point(defect), .pid = s->pid, .tid = s->pid, .time_us = *s->now_us};
	push_stack(&f, defect, 0);
	snprintf(f.facts, sizeof f.facts, "defect %zu", defect);
	return f;
}

/* A consequence of a repair: in a callee of the procedure that goes on. */
static struct failure aftermath_of(struct sim *s, size_t defect, unsigned skip)
{
	struct failure f = {.monitor = MONITOR_CRASH, .signal = 11, .pid = s->pid, .tid = s->pid, .time_us = *s->now_us};
	f.at = (struct point){sim_module, AFTERMATH + defect * 0x100 + skip};
	push_frame(&f, f.at.offset, AFTERMATH, skip ? CFA + 0x40 * skip : 0x6f00);
	push_stack(&f, defect, skip);
	return f;
}

static void respawn(struct sim *s, bool normally)
{
	pid_t dead = s->pid;
	s->deaths += !normally;
	s->pid = s->next_pid++;
	s->served = 0;
	s->late_us = 0;
	for (size_t n = 0; n < s->check_count; n++)
		s->checks[n].tally.last = CHECK_NONE;
	assert_int_equal(repair_process_ended(s->repair, dead, normally), 0);
}

static struct sim_installed *installed_at(struct sim *s, size_t defect)
{
	for (size_t i = 0; i < s->patch_count; i++)
		if (s->patches[i].patch.at.offset / PROCEDURE_SIZE == defect + 1 && s->patches[i].patch.at.offset < CALLER)
			return &s->patches[i];
	return NULL;
}

static bool acts(const struct sim *s, size_t defect, const struct patch *p)
{
	if (s->defects[defect].monitor == MONITOR_HANG)
		return false;
	return p->guard == GUARD_INVARIANT ? is_violated(s, defect, &p->invariant) : true;
}

static void report_action(struct sim *s, struct sim_installed *i)
{
	struct activation a = {i->patch.id, 1, s->pid, s->pid, CFA, *s->now_us};
	s->served = 0;
	i->acted++;
	assert_int_equal(repair_activation(s->repair, &a), 0);
}

static unsigned left_by(const struct patch *p)
{
	return p->action == ACTION_RETURN ? p->depth : 0;
}

/* A return from that procedure leaves so many of the procedures on the stack. */
static unsigned level_of(size_t defect, uint64_t procedure)
{
	const uint64_t procedures[] = {procedure_of(defect), CALLER, HANDLER, MAIN};
	for (unsigned n = 0; n < 4; n++)
		if (procedures[n] == procedure)
			return n + 1;
	return 0;
}

/* From failure to the thread's end or survival. Each round is one verdict carried out. */
static bool play_failure(struct sim *s, size_t defect, struct failure f)
{
	const struct sim_defect *d = &s->defects[defect];
	for (int rounds = 0; rounds < 50; rounds++) {
		struct repair_verdict v;
		*s->now_us += 100;
		f.time_us = *s->now_us;
		assert_int_equal(repair_failure(s->repair, &f, &v), 0);
		enum sim_outcome outcome = SIM_FAILS;
		unsigned left = 0;
		if (v.kind == REPAIR_DIE) {
			respawn(s, false);
			return false;
		}
		if (v.kind == REPAIR_RESUME_HERE) {
			struct sim_installed *i = installed_at(s, defect);
			assert_non_null(i);
			assert_true(i->patch.guard == GUARD_FAULT || i->patch.guard == GUARD_HEAP);
			outcome = sim_outcome_of(d, i->patch.action, i->patch.depth, i->patch.has_value, i->patch.value, i->acted);
			left = left_by(&i->patch);
			report_action(s, i);
		} else {
			/* By what is really on the stack, not by what the engine thinks: which procedure's activation ends? */
			assert_true(v.frame + 1 < f.depth);
			left = level_of(defect, f.stack[v.frame].procedure);
			outcome = left ? sim_outcome_of(d, ACTION_RETURN, left, v.has_value, v.value, 0) : SIM_FAILS;
		}
		if (outcome == SIM_WORKS)
			return true;
		if (outcome == SIM_FAILS_LATE) {
			s->late_us = *s->now_us + 3000000;
			s->late_defect = defect;
			return true;
		}
		f = outcome == SIM_MOVES ? aftermath_of(s, defect, left) : sim_failure(s, defect);
	}
	fail_msg("a livelock of verdicts");
	return false;
}

bool sim_attack(struct sim *s, size_t defect)
{
	struct sim_installed *i = installed_at(s, defect);
	s->attacks[defect]++;
	*s->now_us += 1000;
	run_checks(s, defect, true);
	if (!i || !acts(s, defect, &i->patch))
		return play_failure(s, defect, sim_failure(s, defect));
	enum sim_outcome outcome = sim_outcome_of(&s->defects[defect], i->patch.action, i->patch.depth, i->patch.has_value, i->patch.value, i->acted);
	unsigned left = left_by(&i->patch);
	report_action(s, i);
	if (outcome == SIM_WORKS)
		return true;
	if (outcome == SIM_FAILS_LATE) {
		s->late_us = *s->now_us + 3000000;
		s->late_defect = defect;
		return true;
	}
	*s->now_us += 10;
	return play_failure(s, defect, outcome == SIM_MOVES ? aftermath_of(s, defect, left) : sim_failure(s, defect));
}

static void fail_late(struct sim *s)
{
	struct repair_verdict v;
	struct failure f = aftermath_of(s, s->late_defect, 0);
	*s->now_us = s->late_us;
	f.at.offset += 0x80;
	/* Another thread, whose stack has nothing of the repaired procedure. */
	f.tid = s->pid + 100000;
	f.depth = 1;
	f.time_us = *s->now_us;
	assert_int_equal(repair_failure(s->repair, &f, &v), 0);
	respawn(s, false);
}

void sim_wait(struct sim *s, int64_t us)
{
	int64_t end_us = *s->now_us + us;
	if (s->late_us && s->late_us <= end_us)
		fail_late(s);
	*s->now_us = end_us;
	assert_int_equal(repair_tick(s->repair, *s->now_us), 0);
}

void sim_legitimate(struct sim *s, unsigned requests)
{
	size_t patches = s->patch_count;
	for (unsigned n = 0; n < requests; n++) {
		*s->now_us += 200;
		for (size_t defect = 0; defect < s->defect_count; defect++)
			run_checks(s, defect, false);
		s->served++;
	}
	if (s->late_us)
		return;
	assert_int_equal(repair_served(s->repair, s->pid, s->served), 0);
	assert_int_equal(repair_tick(s->repair, *s->now_us), 0);
	s->spurious += s->patch_count > patches;
}

/* --- What the tests look at. */

struct location sim_location(struct sim *s, size_t defect)
{
	struct location l;
	struct point at = sim_point(defect);
	assert_int_equal(store_location_find(s->store, s->defects[defect].monitor, &at, &l), 0);
	return l;
}

struct in_force {
	struct patch patch;
	unsigned count;
};

static int find_in_force(void *context, const struct patch *p)
{
	struct in_force *found = context;
	if (p->state == PATCH_TRIED || p->state == PATCH_KEPT) {
		found->patch = *p;
		found->count++;
	}
	return 0;
}

struct patch sim_in_force(struct sim *s, size_t defect)
{
	struct in_force found = {0};
	assert_int_equal(store_patches(s->store, sim_location(s, defect).id, find_in_force, &found), 0);
	assert_true(found.count <= 1);
	return found.patch;
}

static int count_patch(void *context, const struct patch *p)
{
	++*(size_t *)context;
	return 0;
}

size_t sim_patch_rows(struct sim *s)
{
	size_t count = 0;
	assert_int_equal(store_patches(s->store, 0, count_patch, &count), 0);
	return count;
}

char *sim_folder(void)
{
	const char *tmp = getenv("TMPDIR");
	char *folder;
	assert_true(asprintf(&folder, "%s/repair-XXXXXX", tmp ? tmp : "/tmp") > 0);
	assert_non_null(mkdtemp(folder));
	return folder;
}

void sim_folder_remove(char *folder)
{
	char command[512];
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	assert_int_equal(system(command), 0);
	free(folder);
}
