/* Loading a failure's rows, and the lists among them as text and JSON. */
#include "cli/case_file.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/text.h"
#include "learn/print.h"
#include "repair/correlate.h"
#include "repair/describe.h"
#include "repair/patch_json.h"
#include "repair/rank.h"
#include "repair/settings.h"

#include <inttypes.h>
#include <stdio.h>

static int keep_occurrence(void *context, const struct failure *f, const char *outcome)
{
	struct case_file *c = context;
	struct occurrence o = {.failure = *f};
	snprintf(o.outcome, sizeof o.outcome, "%s", outcome);
	vec_push(&c->occurrences, o);
	return 0;
}

static int keep_check(void *context, const struct check *check)
{
	vec_push(&((struct case_file *)context)->checks, *check);
	return 0;
}

static int keep_patch(void *context, const struct patch *p)
{
	vec_push(&((struct case_file *)context)->patches, *p);
	return 0;
}

static int keep_event(void *context, const struct event *e)
{
	vec_push(&((struct case_file *)context)->events, *e);
	return 0;
}

static int by_correlation(const void *a, const void *b)
{
	const struct check *x = a, *y = b;
	return x->correlation != y->correlation ? y->correlation - x->correlation : (x->id > y->id) - (x->id < y->id);
}

static int by_rank(const void *a, const void *b)
{
	int order = rank_compare(a, b, repair_settings_default.bonus);
	const struct patch *x = a, *y = b;
	return order ? order : (x->id > y->id) - (x->id < y->id);
}

int case_file_load(struct store *s, uint64_t location, struct case_file *out)
{
	*out = (struct case_file){.store = s};
	int error = store_location_get(s, location, &out->location);
	if (!error)
		error = store_occurrences(s, location, keep_occurrence, out);
	if (!error)
		error = store_checks(s, location, keep_check, out);
	if (!error)
		error = store_patches(s, location, keep_patch, out);
	if (!error)
		error = store_events_of(s, NULL, location, 0, false, keep_event, out);
	if (error)
		return error;
	if (out->checks.count)
		qsort(out->checks.at, out->checks.count, sizeof *out->checks.at, by_correlation);
	if (out->patches.count)
		qsort(out->patches.at, out->patches.count, sizeof *out->patches.at, by_rank);
	return 0;
}

void case_file_free(struct case_file *c)
{
	vec_free(&c->occurrences);
	vec_free(&c->checks);
	vec_free(&c->patches);
	vec_free(&c->events);
}

const struct patch *case_file_in_force(const struct case_file *c)
{
	for (size_t i = 0; i < c->patches.count; i++)
		if (c->patches.at[i].state == PATCH_KEPT || c->patches.at[i].state == PATCH_TRIED)
			return &c->patches.at[i];
	return NULL;
}

static void print_state(const struct case_file *c)
{
	char text[TEXT_SIZE];
	const struct location *l = &c->location;
	const struct patch *p = case_file_in_force(c);
	printf("  state      %s", location_state_names[l->state]);
	if (p)
		printf(", patch %" PRIu64 " in force: %s", p->id, describe_patch(p, text, sizeof text));
	printf("\n");
	if (l->patched_us && l->patched_us >= l->first_us)
		printf("  patched    %.1f s after the first time\n", (l->patched_us - l->first_us) / 1e6);
}

void case_file_print_head(const struct case_file *c)
{
	char a[TEXT_SIZE], b[TEXT_SIZE];
	const struct location *l = &c->location;
	printf("failure %" PRIu64 ": %s at %s\n", l->id, text_monitor(&l->last, a), describe_point(c->store, &l->at, b, sizeof b));
	if (*l->last.facts)
		printf("  what       %s\n", text_printable(l->last.facts, a));
	printf("  program    %s\n", *l->last.program ? text_printable(l->last.program, a) : "unknown");
	printf("  seen       %u time%s; first %s", l->presentations, l->presentations == 1 ? "" : "s", text_time(l->first_us, a));
	printf(", last %s (%s)\n", text_time(l->last_us, a), text_ago(l->last_us, b));
	print_state(c);
}

void case_file_print_occurrences(const struct case_file *c, size_t limit)
{
	char text[TEXT_SIZE];
	struct table *t = table_new("  TIME|>PID|OUTCOME|WHAT");
	for (size_t i = 0; i < c->occurrences.count && i < limit; i++) {
		const struct occurrence *o = &c->occurrences.at[i];
		table_cell(t, "%s", text_time(o->failure.time_us, text));
		table_cell(t, "%d", o->failure.pid);
		table_cell(t, "%s", o->outcome);
		table_cell(t, "%s", o->failure.facts);
	}
	table_print(t, "none recorded");
	if (c->occurrences.count > limit)
		printf("  and %zu earlier ones\n", c->occurrences.count - limit);
}

void case_file_print_checks(const struct case_file *c)
{
	char where[TEXT_SIZE], what[TEXT_SIZE], module[TEXT_SIZE];
	struct table *t = table_new("  CORRELATION|>BEFORE FAILURES|>ELSEWHERE|WHERE|INVARIANT");
	for (size_t i = 0; i < c->checks.count; i++) {
		const struct check *k = &c->checks.at[i];
		table_cell(t, "%s", k->correlation < CORRELATION_COUNT ? correlation_names[k->correlation] : "?");
		table_cell(t, "%u of %u", k->violated_before_failure, k->violated_before_failure + k->satisfied_before_failure);
		table_cell(t, "%" PRIu64 " of %" PRIu64, k->violated_elsewhere, k->violated_elsewhere + k->satisfied_elsewhere);
		table_cell(t, "%s", describe_point(c->store, invariant_point(&k->invariant), where, sizeof where));
		print_condition(&k->invariant, text_module(c->store, &k->invariant.a.at.module, module), what, sizeof what);
		table_cell(t, "%s", what);
	}
	if (c->checks.count)
		printf("  (how often violated at the last check before a failure, and at all other checks)\n");
	table_print(t, "none checked");
}

void case_file_print_patches(const struct case_file *c)
{
	char state[TEXT_SIZE], where[TEXT_SIZE], what[TEXT_SIZE];
	struct table *t = table_new("  >PATCH|STATE|>SCORE|>SUCCESSES|>FAILURES|>ACTED|WHERE|WHAT");
	for (size_t i = 0; i < c->patches.count; i++) {
		const struct patch *p = &c->patches.at[i];
		table_cell(t, "%" PRIu64, p->id);
		table_cell(t, "%s", text_patch_state(p, state));
		table_cell(t, "%d", rank_score(p, repair_settings_default.bonus));
		table_cell(t, "%u", p->successes);
		table_cell(t, "%u", p->failures);
		table_cell(t, "%" PRIu64, p->activations);
		table_cell(t, "%s", describe_point(c->store, &p->at, where, sizeof where));
		table_cell(t, "%s", describe_patch(p, what, sizeof what));
	}
	table_print(t, "none made yet");
}

void case_file_print_events(const struct case_file *c)
{
	char text[TEXT_SIZE];
	struct table *t = table_new("  TIME|KIND|WHAT");
	for (size_t i = 0; i < c->events.count; i++) {
		table_cell(t, "%s", text_time(c->events.at[i].time_us, text));
		table_cell(t, "%s", c->events.at[i].kind);
		table_cell(t, "%s", c->events.at[i].text);
	}
	table_print(t, "none");
}

json_t *case_file_to_json(const struct case_file *c)
{
	json_t *json = json_location(c->store, &c->location), *list;
	json_object_set_new(json, "last_failure", json_failure(c->store, &c->location.last));
	json_object_set_new(json, "occurrences", list = json_array());
	for (size_t i = 0; i < c->occurrences.count; i++) {
		json_t *o = json_failure(c->store, &c->occurrences.at[i].failure);
		json_object_set_new(o, "outcome", json_safe(c->occurrences.at[i].outcome));
		json_array_append_new(list, o);
	}
	json_object_set_new(json, "checks", list = json_array());
	for (size_t i = 0; i < c->checks.count; i++)
		json_array_append_new(list, json_check(&c->checks.at[i]));
	json_object_set_new(json, "patches", list = json_array());
	for (size_t i = 0; i < c->patches.count; i++)
		json_array_append_new(list, json_patch(&c->patches.at[i]));
	json_object_set_new(json, "events", list = json_array());
	for (size_t i = 0; i < c->events.count; i++)
		json_array_append_new(list, json_event(&c->events.at[i]));
	return json;
}
