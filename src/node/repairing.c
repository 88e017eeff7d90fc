#include "node/repairing.h"

#include <string.h>

#include "base/log.h"
#include "node/enforce.h"
#include "node/module_cache.h"
#include "node/procedures.h"
#include "node/provoke.h"
#include "node/seen_modules.h"
#include "node/served.h"
#include "node/static_facts.h"

enum { WATCHING_MS = 20, IDLE_MS = 1000 };

static int64_t host_now(void *context)
{
	return clock_us();
}

static bool host_guards(void *context, pid_t pid)
{
	struct supervisor *s = context;
	for (size_t i = 0; i < s->families.count; i++)
		if (family_process(s->families.at[i], pid))
			return true;
	return false;
}

static int host_checks_install(void *context, const struct check *checks, size_t count)
{
	struct supervisor *s = context;
	for (size_t i = 0; i < count; i++)
		enforce_check(s->enforcement, &checks[i]); /* one that can't be made just never speaks */
	enforcement_apply(s->enforcement);
	return 0;
}

static void host_checks_remove(void *context, const uint64_t *ids, size_t count)
{
	struct supervisor *s = context;
	for (size_t i = 0; i < count; i++)
		unforce_check(s->enforcement, ids[i]);
	enforcement_apply(s->enforcement);
}

static void host_check_collect(void *context, uint64_t check, pid_t pid, pid_t tid, struct check_tally *out)
{
	struct supervisor *s = context;
	enforcement_collect(s->enforcement, check, pid, tid, out);
}

static int host_patch_install(void *context, const struct patch *p)
{
	struct supervisor *s = context;
	int status = enforce_patch(s->enforcement, p);
	enforcement_apply(s->enforcement);
	return status;
}

static void host_patch_remove(void *context, uint64_t patch)
{
	struct supervisor *s = context;
	unforce_patch(s->enforcement, patch);
	enforcement_apply(s->enforcement);
}

/* A module by its key: loaded in a guest now. */
static struct module *module_by_key(struct supervisor *s, const struct module_key *key)
{
	for (size_t i = 0; i < s->families.count; i++) {
		struct loaded *l = image_module(&s->families.at[i]->image, key);
		if (l)
			return l->module;
	}
	return NULL;
}

static bool host_predominates(void *context, const struct module_key *module, uint64_t procedure, uint64_t a, uint64_t b)
{
	struct module *m = module_by_key(context, module);
	const struct procedure *p = m ? procedures_get(m, procedure) : NULL;
	const struct insn *first = p ? procedure_insn(p, a) : NULL, *second = p ? procedure_insn(p, b) : NULL;
	return first && second && predominates(procedures_predominators(m, procedure), first - p->insns, second - p->insns);
}

static bool host_same_block(void *context, const struct module_key *module, uint64_t procedure, uint64_t a, uint64_t b)
{
	struct module *m = module_by_key(context, module);
	const struct procedure *p = m ? procedures_get(m, procedure) : NULL;
	const struct insn *first = p ? procedure_insn(p, a) : NULL, *second = p ? procedure_insn(p, b) : NULL;
	if (!first || !second)
		return false;
	const struct predominators *d = procedures_predominators(m, procedure);
	uint32_t block = predominators_block(d, first - p->insns);
	return block != BLOCK_NONE && block == predominators_block(d, second - p->insns);
}

static enum repair_site host_site(void *context, const struct point *at)
{
	struct module *m = module_by_key(context, &at->module);
	enum repair_site site = m ? static_site(m, at->offset) : SITE_OTHER;
	return site == SITE_CALL && static_is_stack_check(m, at->offset) ? SITE_STACK_CHECK : site;
}

static bool host_call_returns(void *context, const struct point *call)
{
	struct module *m = module_by_key(context, &call->module);
	return !m || static_call_returns(m, call->offset);
}

static bool host_call_can_be_cut(void *context, const struct point *call, const struct point *callee)
{
	struct module *m = module_by_key(context, &call->module), *called = module_by_key(context, &callee->module);
	if (!m || !static_call_returns(m, call->offset))
		return false;
	return static_call_alone_leads_on(m, call->offset) || (called && static_procedure_returns(called, callee->offset));
}

static bool host_is_main(void *context, const struct module_key *module, uint64_t procedure)
{
	struct module *m = module_by_key(context, module);
	return m && procedure && static_main(m) == procedure;
}

static size_t host_return_values(void *context, const struct module_key *module, uint64_t procedure, int64_t *out, size_t max)
{
	struct module *m = module_by_key(context, module);
	const struct procedure *p = m ? procedures_get(m, procedure) : NULL;
	return p ? static_return_values(p, out, max) : 0;
}

int repairing_open(struct supervisor *s)
{
	struct repair_host host = {
		.context = s,
		.now_us = host_now,
		.guards = host_guards,
		.checks_install = host_checks_install,
		.checks_remove = host_checks_remove,
		.check_collect = host_check_collect,
		.patch_install = host_patch_install,
		.patch_remove = host_patch_remove,
		.predominates = host_predominates,
		.same_block = host_same_block,
		.site = host_site,
		.call_returns = host_call_returns,
		.call_can_be_cut = host_call_can_be_cut,
		.is_main = host_is_main,
		.return_values = host_return_values,
	};
	struct repair_settings settings = repair_settings_default;
	if (s->options.checks >= 0)
		settings.checking_presentations = s->options.checks;
	s->enforcement = enforcement_new(s);
	int status = repair_open(s->store, &host, &settings, &s->repair);
	if (!status)
		status = repair_start(s->repair);
	s->store_seen = store_version(s->store);
	return status;
}

void repairing_close(struct supervisor *s)
{
	repair_close(s->repair);
	enforcement_free(s->enforcement);
}

static void report_activations(struct supervisor *s)
{
	struct enforced_activation a;
	while (enforcement_activation(s->enforcement, &a)) {
		struct activation told = {.patch = a.patch, .count = a.count, .pid = a.pid, .tid = a.tid, .cfa = a.cfa};
		repair_activation(s->repair, &told);
		served_begin(s, a.pid);
	}
}

void repairing_failure(struct supervisor *s, const struct failure *f, struct repair_verdict *verdict)
{
	if (s->options.provoke & PROVOKE_UNREPAIRED) {
		verdict->kind = REPAIR_DIE;
		return;
	}
	report_activations(s);
	seen_modules_flush(s->store);
	int status = repair_failure(s->repair, f, verdict);
	if (status) {
		log_error("the failure could not be stored: %s", store_error(s->store));
		verdict->kind = REPAIR_DIE;
	}
	s->store_seen = store_version(s->store);
}

void repairing_outcome(struct supervisor *s, const struct failure *f, const struct repair_verdict *verdict, bool goes_on)
{
	if (!goes_on) {
		s->failed_pid = f->pid;
		repair_process_ended(s->repair, f->pid, false);
	} else {
		served_begin(s, f->pid);
	}
}

/* A server that a repair leads to its end has not survived; one that was told to end has. */
static bool gave_up(const struct supervisor *s, pid_t pid)
{
	return s->options.lasts && pid == s->launched && !*s->options.told_to_end;
}

void repairing_process_ended(struct supervisor *s, pid_t pid)
{
	report_activations(s);
	repair_process_ended(s->repair, pid, pid != s->failed_pid && !gave_up(s, pid));
}

void repairing_reload(struct supervisor *s)
{
	s->store_seen = store_version(s->store);
	repair_reload(s->repair);
}

void repairing_tick(struct supervisor *s)
{
	report_activations(s);
	served_tick(s);
	if (store_version(s->store) != s->store_seen)
		repairing_reload(s);
	if (repair_next_us(s->repair) <= clock_us())
		repair_tick(s->repair, clock_us());
	s->store_seen = store_version(s->store);
}

unsigned repairing_patience_ms(const struct supervisor *s)
{
	return enforcement_patches(s->enforcement) ? WATCHING_MS : IDLE_MS;
}
