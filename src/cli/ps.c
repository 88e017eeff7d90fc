/* clearview ps: the guarded processes. */
#include "cli/command.h"
#include "cli/guests.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/text.h"
#include "node/control.h"

#include <stdio.h>
#include <string.h>

enum { SYNC_MS = 500 };

static void print_detail(const struct guest_row *g)
{
	for (const char *line = g->detail; *line;) {
		int length = strcspn(line, "\n");
		printf("    %.*s\n", length, line);
		line += length + (line[length] == '\n');
	}
}

static void print_text(const guest_list *guests, bool verbose)
{
	char text[TEXT_SIZE];
	struct table *t = table_new(">PID|SUPERVISOR|SINCE|>PATCHES|>REDIRECTED|PROGRAM");
	for (size_t i = 0; i < guests->count; i++) {
		const struct guest_row *g = &guests->at[i];
		table_cell(t, "%d", g->pid);
		if (guest_is_supervised(g))
			table_cell(t, "%d", g->supervisor);
		else
			table_cell(t, "gone");
		table_cell(t, "%s", text_ago(g->since_us, text));
		table_cell(t, "%u", g->patches);
		table_cell(t, "%u", g->redirected);
		table_cell(t, "%s", g->program);
	}
	table_print(t, "no guarded processes");
	for (size_t i = 0; verbose && i < guests->count; i++) {
		printf("\n%d: %s\n    procedures that stay native though a weaver asked: %u\n", guests->at[i].pid, guests->at[i].program,
		       guests->at[i].native_refused);
		print_detail(&guests->at[i]);
	}
}

static json_t *to_json(const guest_list *guests)
{
	json_t *list = json_array();
	for (size_t i = 0; i < guests->count; i++) {
		const struct guest_row *g = &guests->at[i];
		json_t *json = json_object();
		json_object_set_new(json, "pid", json_integer(g->pid));
		json_object_set_new(json, "supervisor", guest_is_supervised(g) ? json_integer(g->supervisor) : json_null());
		json_object_set_new(json, "since", json_time(g->since_us));
		json_object_set_new(json, "patches", json_integer(g->patches));
		json_object_set_new(json, "redirected", json_integer(g->redirected));
		json_object_set_new(json, "native_refused", json_integer(g->native_refused));
		json_object_set_new(json, "program", json_safe(g->program));
		json_object_set_new(json, "detail", json_safe(g->detail));
		json_array_append_new(list, json);
	}
	return list;
}

int command_ps(int argc, char **argv)
{
	bool verbose = false;
	const struct option_spec options[] = {{"verbose", 'v', NULL, "more about each process", &verbose}, {0}};
	struct common common;
	guest_list guests = {0};
	if (options_parse("ps", argc, argv, options, &common) < argc)
		die(EXIT_CLEARVIEW, "ps takes no operands; `clearview help ps` explains");
	struct store *s = state_open(&common);
	struct control_result synced;
	control_reload(store_directory(s), SYNC_MS, &synced); /* supervisors write their rows before they answer; without an answer the last ones count */
	state_must(s, guests_living(s, &guests));
	if (common.json)
		print_json(to_json(&guests));
	else
		print_text(&guests, verbose);
	vec_free(&guests);
	store_close(s);
	return finish_output();
}
