/* clearview invariants: what was learned. */
#include "cli/command.h"
#include "cli/table.h"
#include "cli/text.h"
#include "learn/print.h"
#include "repair/describe.h"
#include "repair/patch_json.h"

#include "base/vec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct search {
	const char *words; /* a path, a file name, or the start of a key */
	VEC(struct module_key) keys;
};

static int match(void *context, const struct module_key *key, const char *path)
{
	struct search *m = context;
	if (!strcmp(path, m->words) || !strcmp(text_base_name(path), m->words) || !strncmp(key->hex, m->words, strlen(m->words)))
		vec_push(&m->keys, *key);
	return 0;
}

struct listing {
	struct store *store;
	struct table *table;
	json_t *json;
};

static void add_row(struct listing *l, const struct invariant *i)
{
	char module[TEXT_SIZE], text[TEXT_SIZE];
	const char *name = text_module(l->store, &i->a.at.module, module);
	table_cell(l->table, "%s", describe_point(l->store, &i->a.at, text, sizeof text));
	table_cell(l->table, "%s", invariant_kind_names[i->kind]);
	table_cell(l->table, "%" PRIu64, i->samples);
	print_condition(i, name, text, sizeof text);
	table_cell(l->table, "%s", text);
}

static int add(void *context, const struct invariant *i)
{
	struct listing *l = context;
	char module[TEXT_SIZE], text[TEXT_SIZE];
	if (!l->json) {
		add_row(l, i);
		return 0;
	}
	json_t *json = invariant_to_json(i);
	print_condition(i, text_module(l->store, &i->a.at.module, module), text, sizeof text);
	json_object_set_new(json, "text", json_string(text));
	json_array_append_new(l->json, json);
	return 0;
}

static void list_modules(struct store *s, const char *words, const uint64_t *offset, struct listing *l)
{
	struct search m = {.words = words};
	state_must(s, store_modules(s, match, &m));
	if (!m.keys.count)
		die(EXIT_CLEARVIEW, "no module \"%s\" was ever seen: give its path, its file name, or the start of its build-id", words);
	for (size_t i = 0; i < m.keys.count; i++)
		state_must(s, store_invariants(s, m.keys.at[i].hex, offset, add, l));
	vec_free(&m.keys);
}

int command_invariants(int argc, char **argv)
{
	const char *module = NULL, *at = NULL;
	const struct option_spec options[] = {
		{"module", 'm', "MODULE", "only of this one: its path, file name, or the start of its build-id", &module},
		{"at", 'a', "OFFSET", "only at this offset in its module (0x...)", &at},
		{0},
	};
	struct common common;
	if (options_parse("invariants", argc, argv, options, &common) < argc)
		die(EXIT_CLEARVIEW, "invariants takes no operands; `clearview help invariants` explains");
	uint64_t offset = at ? parse_number("an offset", at[0] == '+' ? at + 1 : at) : 0;
	struct store *s = state_open(&common);
	struct listing l = {.store = s, .json = common.json ? json_array() : NULL};
	if (!common.json)
		l.table = table_new("WHERE|KIND|>SAMPLES|INVARIANT");
	if (module)
		list_modules(s, module, at ? &offset : NULL, &l);
	else
		state_must(s, store_invariants(s, NULL, at ? &offset : NULL, add, &l));
	if (common.json)
		print_json(l.json);
	else
		table_print(l.table, "no invariants learned");
	store_close(s);
	return finish_output();
}
