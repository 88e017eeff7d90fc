/* Modules: the row numbers that other tables use for their keys, and the paths they were last seen at. */
#include "node/store_private.h"

#include <errno.h>
#include <time.h>

static int64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000ll + now.tv_nsec / 1000;
}

static int find_row(struct store *s, sqlite3_stmt *st, struct store_module *out)
{
	int row = store_step(s, st);
	if (row == 1) {
		struct reader r = {.store = s, .st = st};
		*out = (struct store_module){.id = read_int(&r)};
		read_text(&r, out->key.hex, sizeof out->key.hex);
		vec_push(&s->modules, *out);
	}
	return store_finish(st, row == 1 ? 0 : row ? row : -ENOENT);
}

int store_module_find(struct store *s, const struct module_key *key, uint64_t *id)
{
	*id = 0;
	if (!key->hex[0])
		return 0;
	for (size_t i = 0; i < s->modules.count; i++)
		if (!strncmp(s->modules.at[i].key.hex, key->hex, MODULE_KEY_SIZE)) {
			*id = s->modules.at[i].id;
			return 0;
		}
	struct binder b = {store_prepare(s, "SELECT id, key FROM module WHERE key = ?")};
	struct store_module found = {0};
	if (!b.st)
		return s->failed;
	bind_text(&b, key->hex);
	int error = find_row(s, b.st, &found);
	*id = found.id;
	return error;
}

int store_module_key(struct store *s, uint64_t id, struct module_key *key)
{
	*key = (struct module_key){0};
	if (!id)
		return 0;
	for (size_t i = 0; i < s->modules.count; i++)
		if (s->modules.at[i].id == id) {
			*key = s->modules.at[i].key;
			return 0;
		}
	struct binder b = {store_prepare(s, "SELECT id, key FROM module WHERE id = ?")};
	struct store_module found = {0};
	if (!b.st)
		return s->failed;
	bind_int(&b, id);
	int error = find_row(s, b.st, &found);
	*key = found.key;
	if (error == -ENOENT)
		error = store_fail_text(s, -EBADMSG, "%s is damaged: a row names a module that is not there; move the file away to start afresh", s->path);
	return error;
}

static int add(struct store *s, const struct module_key *key, const char *path)
{
	struct binder b = {store_prepare(s, "INSERT INTO module(key, path, seen_us) VALUES(?, ?, ?)"
					    " ON CONFLICT(key) DO UPDATE SET path = iif(excluded.path = '', path, excluded.path), seen_us = excluded.seen_us")};
	if (!b.st)
		return s->failed;
	bind_text(&b, key->hex);
	bind_text(&b, path);
	bind_int(&b, now_us());
	return store_execute(s, b.st);
}

int store_module_id(struct store *s, const struct module_key *key, uint64_t *id)
{
	if (strnlen(key->hex, MODULE_KEY_SIZE) == MODULE_KEY_SIZE)
		return store_fail_text(s, -EINVAL, "a module key without an end");
	int error = store_module_find(s, key, id);
	if (error != -ENOENT)
		return error;
	error = add(s, key, "");
	return error ? error : store_module_find(s, key, id);
}

int store_module_seen(struct store *s, const struct module_key *key, const char *path)
{
	if (!key->hex[0] || strnlen(key->hex, MODULE_KEY_SIZE) == MODULE_KEY_SIZE)
		return store_fail_text(s, -EINVAL, "a module without a key");
	return add(s, key, path);
}

int store_module_path(struct store *s, const struct module_key *key, char *path, size_t size)
{
	struct binder b = {store_prepare(s, "SELECT path FROM module WHERE key = ? AND path <> ''")};
	*path = 0;
	if (!b.st)
		return s->failed;
	bind_text(&b, key->hex);
	int row = store_step(s, b.st);
	struct reader r = {.store = s, .st = b.st};
	if (row == 1)
		read_text(&r, path, size);
	if (!row)
		row = store_fail_text(s, -ENOENT, "module %s was never seen", key->hex);
	return store_finish(b.st, row == 1 ? 0 : row);
}

int store_modules(struct store *s, module_visitor *visit, void *context)
{
	sqlite3_stmt *st = store_prepare(s, "SELECT id FROM module ORDER BY path, key");
	store_ids ids = {0};
	int error = st ? store_collect(s, st, &ids) : s->failed;
	for (size_t i = 0; !error && i < ids.count; i++) {
		struct module_key key;
		char path[PATH_MAX];
		error = store_module_key(s, ids.at[i], &key);
		if (!error && (error = store_module_path(s, &key, path, sizeof path)) == -ENOENT)
			error = 0;
		if (!error)
			error = visit(context, &key, path);
	}
	vec_free(&ids);
	return error;
}
