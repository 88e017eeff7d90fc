#include "cli/module_files.h"
#include "base/vec.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

struct entry {
	struct module_key key;
	struct module *module;
	const char *why;
};

struct module_files {
	struct store *store;
	VEC(struct entry) entries;
};

struct module_files *module_files_new(struct store *s)
{
	struct module_files *f = calloc(1, sizeof *f);
	if (!f)
		abort();
	f->store = s;
	return f;
}

void module_files_free(struct module_files *f)
{
	for (size_t i = 0; i < f->entries.count; i++)
		if (f->entries.at[i].module)
			module_free(f->entries.at[i].module);
	vec_free(&f->entries);
	free(f);
}

static struct entry open_entry(struct store *s, const struct module_key *key)
{
	char path[PATH_MAX];
	struct entry e = {.key = *key};
	if (!key->hex[0])
		e.why = "it lies in no module";
	else if (store_module_path(s, key, path, sizeof path))
		e.why = "the module's file is not known";
	else if (module_open(path, &e.module)) {
		e.module = NULL;
		e.why = "the module's file is gone or cannot be read";
	} else if (strncmp(e.module->key.hex, key->hex, MODULE_KEY_SIZE)) {
		module_free(e.module);
		e.module = NULL;
		e.why = "the module's file was replaced by another one since";
	}
	return e;
}

const struct module *module_files_get(struct module_files *f, const struct module_key *key, const char **why)
{
	size_t i = 0;
	while (i < f->entries.count && strncmp(f->entries.at[i].key.hex, key->hex, MODULE_KEY_SIZE))
		i++;
	if (i == f->entries.count)
		vec_push(&f->entries, open_entry(f->store, key));
	if (why)
		*why = f->entries.at[i].why;
	return f->entries.at[i].module;
}

const char *module_files_symbol(struct module_files *f, const struct point *at, char *text, size_t size)
{
	uint64_t delta;
	const struct module *m = module_files_get(f, &at->module, NULL);
	const char *name = m ? module_symbol_at(m, at->offset, &delta) : NULL;
	*text = 0;
	if (name)
		snprintf(text, size, delta ? "%s+%#" PRIx64 : "%s", name, delta);
	return text;
}
