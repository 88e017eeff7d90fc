/* clearview report: one failure, for the maintainers of the failing program. */
#include "cli/case_file.h"
#include "cli/command.h"
#include "cli/disassemble.h"
#include "cli/json.h"
#include "cli/module_files.h"
#include "cli/table.h"
#include "cli/text.h"
#include "repair/describe.h"
#include "x86/registers.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

enum { OCCURRENCES_SHOWN = 20 };

struct report {
	struct case_file file;
	struct module_files *modules;
};

/* --- As text: a table of sections. */

static void print_code(const struct report *r)
{
	struct code_line lines[CODE_LINES_MAX];
	const char *why = NULL;
	const struct point *at = &r->file.location.at;
	const struct module *m = module_files_get(r->modules, &at->module, &why);
	size_t count = m ? disassemble_around(m, at->offset, lines) : 0;
	if (!count)
		printf("  not available: %s\n", m ? "there is no code at that offset in the module's file" : why);
	for (size_t i = 0; i < count; i++)
		printf("  %s %#10" PRIx64 "  %-32s%s\n", lines[i].is_point ? "=>" : "  ", lines[i].offset, lines[i].bytes, lines[i].text);
}

static void print_stack(const struct report *r)
{
	char where[TEXT_SIZE], symbol[TEXT_SIZE];
	const struct failure *f = &r->file.location.last;
	struct table *t = table_new("  FRAME|WHERE|PROCEDURE|SYMBOL|");
	for (unsigned i = 0; i < f->depth; i++) {
		const struct frame *frame = &f->stack[i];
		table_cell(t, "#%u", i);
		if (frame->at.module.hex[0]) {
			table_cell(t, "%s", describe_point(r->file.store, &frame->at, where, sizeof where));
			table_cell(t, "+%#" PRIx64, frame->procedure);
		} else {
			table_cell(t, "%#" PRIx64 " (no module)", frame->address);
			table_cell(t, "-");
		}
		table_cell(t, "%s", module_files_symbol(r->modules, &frame->at, symbol, sizeof symbol));
		table_cell(t, "%s", i == f->location_frame ? "<= the failure" : "");
	}
	table_print(t, "not known");
}

static void print_registers(const struct report *r)
{
	const struct failure *f = &r->file.location.last;
	for (unsigned i = 0; i < REG_COUNT; i++)
		printf("  %-4s %016" PRIx64 "%s", register_name(i, 8, 0), f->registers[i], i % 4 == 3 ? "\n" : "");
	printf("  %-4s %016" PRIx64 "  flags %08" PRIx64 "  fault address %#" PRIx64 "\n", "rip", f->rip, f->rflags, f->fault_address);
}

static void print_modules(const struct report *r)
{
	char path[PATH_MAX];
	const struct failure *f = &r->file.location.last;
	for (unsigned i = 0; i < f->depth; i++) {
		const struct module_key *key = &f->stack[i].at.module;
		unsigned earlier = 0;
		while (earlier < i && strncmp(f->stack[earlier].at.module.hex, key->hex, MODULE_KEY_SIZE))
			earlier++;
		if (earlier == i && key->hex[0])
			printf("  %s  %s\n", key->hex, store_module_path(r->file.store, key, path, sizeof path) ? "(path not known)" : path);
	}
}

static void print_checks(const struct report *r)
{
	case_file_print_checks(&r->file);
}

static void print_patches(const struct report *r)
{
	case_file_print_patches(&r->file);
}

static void print_occurrences(const struct report *r)
{
	case_file_print_occurrences(&r->file, OCCURRENCES_SHOWN);
}

static void print_events(const struct report *r)
{
	case_file_print_events(&r->file);
}

static const struct {
	const char *title;
	void (*print)(const struct report *r);
} sections[] = {
	{"Code around the point", print_code},
	{"Call stack, the last time", print_stack},
	{"Registers, the last time", print_registers},
	{"Learned invariants that were checked, most correlated first", print_checks},
	{"Patches, best first", print_patches},
	{"Times it failed, newest first", print_occurrences},
	{"What happened", print_events},
	{"Modules (build-id and path)", print_modules},
};

static void print_text(const struct report *r)
{
	case_file_print_head(&r->file);
	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
		printf("\n%s\n", sections[i].title);
		sections[i].print(r);
	}
}

/* --- As JSON. */

static json_t *code_to_json(const struct report *r)
{
	struct code_line lines[CODE_LINES_MAX];
	const struct point *at = &r->file.location.at;
	const struct module *m = module_files_get(r->modules, &at->module, NULL);
	size_t count = m ? disassemble_around(m, at->offset, lines) : 0;
	json_t *json = json_array();
	for (size_t i = 0; i < count; i++) {
		json_t *line = json_object();
		json_object_set_new(line, "offset", json_address(lines[i].offset));
		json_object_set_new(line, "bytes", json_string(lines[i].bytes));
		json_object_set_new(line, "text", json_string(lines[i].text));
		json_object_set_new(line, "point", json_boolean(lines[i].is_point));
		json_array_append_new(json, line);
	}
	return json;
}

/* Symbols go into the frames that are there already. */
static void add_symbols(const struct report *r, json_t *stack)
{
	char symbol[TEXT_SIZE];
	size_t i;
	json_t *frame;
	json_array_foreach(stack, i, frame)
		if (*module_files_symbol(r->modules, &r->file.location.last.stack[i].at, symbol, sizeof symbol))
			json_object_set_new(frame, "symbol", json_safe(symbol));
}

static void print_as_json(const struct report *r)
{
	json_t *json = case_file_to_json(&r->file);
	add_symbols(r, json_object_get(json_object_get(json, "last_failure"), "stack"));
	json_object_set_new(json, "code", code_to_json(r));
	print_json(json);
}

int command_report(int argc, char **argv)
{
	struct common common;
	struct report r;
	int first = options_parse("report", argc, argv, NULL, &common);
	if (argc - first != 1)
		die(EXIT_CLEARVIEW, "report takes the id of a failure; `clearview failures` lists them");
	uint64_t id = parse_id(argv[first]);
	struct store *s = state_open(&common);
	state_must(s, case_file_load(s, id, &r.file));
	r.modules = module_files_new(s);
	if (common.json)
		print_as_json(&r);
	else
		print_text(&r);
	module_files_free(r.modules);
	case_file_free(&r.file);
	store_close(s);
	return finish_output();
}
