/* clearview patches: lists them, shows one, and finds the action for what changes or carries them. */
#include "cli/patches.h"
#include "base/vec.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/text.h"
#include "repair/describe.h"
#include "repair/operator.h"
#include "repair/patch_json.h"
#include "repair/rank.h"
#include "repair/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef VEC(struct patch) patch_rows;

static const struct patch_action actions[] = {
	{"enable", operator_enable, "enabled", NULL},
	{"disable", operator_disable, "disabled", NULL},
	{"pin", operator_pin, "pinned", NULL},
	{"unpin", operator_unpin, "unpinned", NULL},
	{"remove", operator_remove, "removed", NULL},
	{"export", NULL, NULL, patches_export},
	{"import", NULL, NULL, patches_import},
};

static int keep(void *context, const struct patch *p)
{
	vec_push((patch_rows *)context, *p);
	return 0;
}

/* By failure; within one in ranking order. */
static int compare(const void *a, const void *b)
{
	const struct patch *x = a, *y = b;
	if (x->failure != y->failure)
		return x->failure < y->failure ? -1 : 1;
	int order = rank_compare(x, y, repair_settings_default.bonus);
	return order ? order : (x->id > y->id) - (x->id < y->id);
}

static void print_table(struct store *s, const patch_rows *patches)
{
	char state[TEXT_SIZE], where[TEXT_SIZE], what[TEXT_SIZE];
	struct table *t = table_new(">ID|>FAILURE|STATE|>SCORE|>ACTED|WHERE|WHAT");
	for (size_t i = 0; i < patches->count; i++) {
		const struct patch *p = &patches->at[i];
		table_cell(t, "%" PRIu64, p->id);
		table_cell(t, "%" PRIu64, p->failure);
		table_cell(t, "%s", text_patch_state(p, state));
		table_cell(t, "%d", rank_score(p, repair_settings_default.bonus));
		table_cell(t, "%" PRIu64, p->activations);
		table_cell(t, "%s", describe_point(s, &p->at, where, sizeof where));
		table_cell(t, "%s", describe_patch(p, what, sizeof what));
	}
	table_print(t, "no patches made");
}

static void list_all(struct store *s, bool json)
{
	patch_rows patches = {0};
	state_must(s, store_patches(s, 0, keep, &patches));
	if (patches.count)
		qsort(patches.at, patches.count, sizeof *patches.at, compare);
	if (json) {
		json_t *list = json_array();
		for (size_t i = 0; i < patches.count; i++)
			json_array_append_new(list, json_patch(&patches.at[i]));
		print_json(list);
	} else {
		print_table(s, &patches);
	}
	vec_free(&patches);
}

static void show(struct store *s, uint64_t id, bool json)
{
	struct patch p;
	char text[TEXT_SIZE];
	state_must(s, store_patch_get(s, id, &p));
	if (json) {
		print_json(json_patch(&p));
		return;
	}
	printf("patch %" PRIu64 ": %s\n", p.id, describe_patch(&p, text, sizeof text));
	printf("  where      %s\n", describe_point(s, &p.at, text, sizeof text));
	if (p.failure)
		printf("  repairs    failure %" PRIu64 "\n", p.failure);
	printf("  state      %s\n", text_patch_state(&p, text));
	printf("  score      %d (%u successes, %u failures)\n", rank_score(&p, repair_settings_default.bonus), p.successes, p.failures);
	printf("  acted      %" PRIu64 " times\n", p.activations);
	if (p.guard == GUARD_INVARIANT)
		printf("  invariant  %s\n", describe_invariant(&p.invariant, text, sizeof text));
}

static const struct patch_action *action_find(const char *name)
{
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if (!strcmp(actions[i].name, name))
			return &actions[i];
	return NULL;
}

int command_patches(int argc, char **argv)
{
	struct common common;
	int first = options_parse("patches", argc, argv, NULL, &common);
	const struct patch_action *action = first < argc ? action_find(argv[first]) : NULL;
	if (action && action->operate)
		return patches_change(&common, action, argc - first - 1, argv + first + 1);
	if (action)
		return action->run(&common, argc - first - 1, argv + first + 1);
	if (argc - first > 1 || (first < argc && (argv[first][0] < '0' || argv[first][0] > '9')))
		die(EXIT_CLEARVIEW, "patches cannot \"%s\"; `clearview help patches` explains", argv[first]);
	uint64_t id = first < argc ? parse_id(argv[first]) : 0;
	struct store *s = state_open(&common);
	if (id)
		show(s, id, common.json);
	else
		list_all(s, common.json);
	store_close(s);
	return finish_output();
}
