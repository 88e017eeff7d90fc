/* clearview failures: the failure locations, or one of them. */
#include "cli/case_file.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/text.h"
#include "repair/describe.h"

#include <inttypes.h>
#include <stdio.h>

enum { OCCURRENCES_SHOWN = 10 };

struct listing {
	struct store *store;
	struct table *table;
	json_t *json;
};

static int keep_in_force(void *context, const struct patch *p)
{
	if (p->state == PATCH_KEPT || p->state == PATCH_TRIED)
		*(struct patch *)context = *p;
	return 0;
}

static void add_row(struct listing *l, const struct location *location, const struct patch *in_force)
{
	char text[TEXT_SIZE];
	struct table *t = l->table;
	table_cell(t, "%" PRIu64, location->id);
	table_cell(t, "%s", location_state_names[location->state]);
	table_cell(t, "%s", text_monitor(&location->last, text));
	table_cell(t, "%s", describe_point(l->store, &location->at, text, sizeof text));
	table_cell(t, "%u", location->presentations);
	table_cell(t, "%s", text_ago(location->last_us, text));
	table_cell(t, "%s", text_base_name(location->last.program));
	if (in_force->id)
		table_cell(t, "%" PRIu64 ": %s", in_force->id, describe_patch(in_force, text, sizeof text));
	else
		table_cell(t, "none");
}

static int list_one(void *context, const struct location *location)
{
	struct listing *l = context;
	struct patch in_force = {0};
	int error = store_patches(l->store, location->id, keep_in_force, &in_force);
	if (error)
		return error;
	if (!l->json) {
		add_row(l, location, &in_force);
		return 0;
	}
	json_t *json = json_location(l->store, location);
	json_object_set_new(json, "patch", in_force.id ? json_integer(in_force.id) : json_null());
	json_array_append_new(l->json, json);
	return 0;
}

static void list_all(struct store *s, bool json)
{
	struct listing l = {.store = s, .json = json ? json_array() : NULL};
	if (!json)
		l.table = table_new(">ID|STATE|MONITOR|WHERE|>SEEN|LAST|PROGRAM|PATCH IN FORCE");
	state_must(s, store_locations(s, list_one, &l));
	if (json)
		print_json(l.json);
	else
		table_print(l.table, "no failures seen");
}

static void show(struct store *s, uint64_t id, bool json)
{
	struct case_file c;
	state_must(s, case_file_load(s, id, &c));
	if (json) {
		print_json(case_file_to_json(&c));
	} else {
		case_file_print_head(&c);
		printf("\nlast times\n");
		case_file_print_occurrences(&c, OCCURRENCES_SHOWN);
		printf("\npatches, best first\n");
		case_file_print_patches(&c);
		printf("\n`clearview report %" PRIu64 "` tells more\n", id);
	}
	case_file_free(&c);
}

int command_failures(int argc, char **argv)
{
	struct common common;
	int first = options_parse("failures", argc, argv, NULL, &common);
	if (argc - first > 1)
		die(EXIT_CLEARVIEW, "failures takes one id at most; `clearview help failures` explains");
	uint64_t id = first < argc ? parse_id(argv[first]) : 0;
	struct store *s = state_open(&common);
	if (id)
		show(s, id, common.json);
	else
		list_all(s, common.json);
	store_close(s);
	return finish_output();
}
