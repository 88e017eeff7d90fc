/* What a supervisor does for the repair engine, done to simulated guests. */
#include "repair_sim_private.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static void step(struct sim *s)
{
	if (s->die_at && !--s->die_at)
		_exit(0);
}

static int64_t host_now(void *context)
{
	struct sim *s = context;
	return *s->now_us;
}

static bool host_guards(void *context, pid_t pid)
{
	struct sim *s = context;
	return pid == s->pid;
}

static int host_checks_install(void *context, const struct check *checks, size_t count)
{
	struct sim *s = context;
	step(s);
	for (size_t i = 0; i < count; i++) {
		assert_true(s->check_count < SIM_CHECKS);
		s->checks[s->check_count++] = (struct sim_check){.check = checks[i]};
	}
	step(s);
	return 0;
}

static void host_checks_remove(void *context, const uint64_t *ids, size_t count)
{
	struct sim *s = context;
	step(s);
	for (size_t i = 0; i < count; i++) {
		size_t n = 0;
		while (n < s->check_count && s->checks[n].check.id != ids[i])
			n++;
		assert_true(n < s->check_count);
		s->checks[n] = s->checks[--s->check_count];
	}
}

static void host_check_collect(void *context, uint64_t check, pid_t pid, pid_t tid, struct check_tally *out)
{
	struct sim *s = context;
	step(s);
	for (size_t n = 0; n < s->check_count; n++) {
		if (s->checks[n].check.id != check)
			continue;
		*out = s->checks[n].tally;
		if (pid != s->pid)
			out->last = CHECK_NONE;
		s->checks[n].tally.satisfied = s->checks[n].tally.violated = 0;
	}
}

static const struct sim_truth *truth_of(const struct sim_defect *d, uint8_t action, unsigned depth, bool has_value, int64_t value)
{
	for (size_t i = 0; i < sizeof d->truth / sizeof *d->truth; i++) {
		const struct sim_truth *t = &d->truth[i];
		if (t->outcome == SIM_FAILS || t->action != action || (action == ACTION_RETURN && t->depth != depth))
			continue;
		if (t->value == SIM_ANY_VALUE || (has_value && t->value == value))
			return t;
	}
	return NULL;
}

enum sim_outcome sim_outcome_of(const struct sim_defect *d, uint8_t action, unsigned depth, bool has_value, int64_t value, unsigned acted)
{
	const struct sim_truth *t = truth_of(d, action, depth, has_value, value);
	if (!t)
		return SIM_FAILS;
	return t->after && acted < t->after ? SIM_WORKS : t->outcome;
}

static size_t defect_at(const struct sim *s, uint64_t offset)
{
	size_t defect = offset / PROCEDURE_SIZE - 1;
	assert_true(defect < s->defect_count);
	return defect;
}

static int host_patch_install(void *context, const struct patch *p)
{
	struct sim *s = context;
	step(s);
	if (p->at.offset < AFTERMATH) {
		const struct sim_defect *d = &s->defects[defect_at(s, p->at.offset)];
		if (sim_outcome_of(d, p->action, p->depth, p->has_value, p->value, 0) == SIM_REFUSED)
			return -EOPNOTSUPP;
	}
	for (size_t i = 0; i < s->patch_count; i++)
		assert_int_not_equal(s->patches[i].patch.id, p->id);
	assert_true(s->patch_count < SIM_PATCHES);
	s->patches[s->patch_count++] = (struct sim_installed){*p, 0};
	step(s);
	return 0;
}

static void host_patch_remove(void *context, uint64_t patch)
{
	struct sim *s = context;
	size_t i = 0;
	step(s);
	while (i < s->patch_count && s->patches[i].patch.id != patch)
		i++;
	assert_true(i < s->patch_count);
	s->patches[i] = s->patches[--s->patch_count];
}

static bool host_predominates(void *context, const struct module_key *m, uint64_t procedure, uint64_t a, uint64_t b)
{
	return a >= procedure && a <= b;
}

static bool host_same_block(void *context, const struct module_key *m, uint64_t procedure, uint64_t a, uint64_t b)
{
	return a / 0x40 == b / 0x40;
}

static enum repair_site host_site(void *context, const struct point *at)
{
	struct sim *s = context;
	if (at->offset >= AFTERMATH)
		return SITE_OTHER;
	return at->offset % PROCEDURE_SIZE == LOCATION ? s->defects[defect_at(s, at->offset)].site : SITE_LOAD;
}

static bool host_call_returns(void *context, const struct point *call)
{
	return true;
}

static size_t host_return_values(void *context, const struct module_key *m, uint64_t procedure, int64_t *out, size_t max)
{
	struct sim *s = context;
	if (procedure >= CALLER)
		return 0;
	const struct sim_defect *d = &s->defects[defect_at(s, procedure)];
	size_t count = d->return_count < max ? d->return_count : max;
	memcpy(out, d->returns, count * sizeof *out);
	return count;
}

struct repair_host sim_host(struct sim *s)
{
	return (struct repair_host){
		.context = s, .now_us = host_now, .guards = host_guards, .checks_install = host_checks_install, .checks_remove = host_checks_remove,
		.check_collect = host_check_collect, .patch_install = host_patch_install, .patch_remove = host_patch_remove,
		.predominates = host_predominates, .same_block = host_same_block, .site = host_site, .call_returns = host_call_returns,
		.return_values = host_return_values,
	};
}
