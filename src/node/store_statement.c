/* Prepared statements: each literal is compiled once per handle; columns are bound and read one after the other. */
#include "node/store_private.h"

#include <errno.h>

sqlite3_stmt *store_prepare(struct store *s, const char *sql)
{
	size_t slot = ((uintptr_t)sql >> 3) % STATEMENT_CACHE_SIZE;
	while (s->cache[slot].sql && s->cache[slot].sql != sql)
		slot = (slot + 1) % STATEMENT_CACHE_SIZE;
	if (s->cache[slot].statement)
		return s->cache[slot].statement;
	int code = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->cache[slot].statement, NULL);
	if (code) {
		store_fail(s, code);
		return NULL;
	}
	s->cache[slot].sql = sql;
	return s->cache[slot].statement;
}

int store_step(struct store *s, sqlite3_stmt *st)
{
	if (s->aborted)
		return s->aborted;
	if (s->damaged && !sqlite3_stmt_readonly(st))
		return s->failed = -EBADMSG;
	int code = sqlite3_step(st);
	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : store_fail(s, code);
}

int store_finish(sqlite3_stmt *st, int result)
{
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return result;
}

int store_execute(struct store *s, sqlite3_stmt *st)
{
	int row;
	do
		row = store_step(s, st);
	while (row == 1);
	return store_finish(st, row);
}

int store_execute_put(struct store *s, sqlite3_stmt *st, int error, uint64_t *id)
{
	int row = error ? error : store_step(s, st);
	if (!row)
		row = store_fail_text(s, -ENOENT, "the row to change has been removed");
	if (row != 1)
		return store_finish(st, row);
	*id = sqlite3_column_int64(st, 0);
	return store_execute(s, st);
}

int store_execute_text(struct store *s, const char *sql)
{
	sqlite3_stmt *st = store_prepare(s, sql);
	return st ? store_execute(s, st) : s->failed;
}

int store_collect(struct store *s, sqlite3_stmt *st, store_ids *out)
{
	int row;
	while ((row = store_step(s, st)) == 1)
		vec_push(out, sqlite3_column_int64(st, 0));
	return store_finish(st, row);
}

void bind_int(struct binder *b, int64_t value)
{
	sqlite3_bind_int64(b->st, ++b->next, value);
}

void bind_id(struct binder *b, uint64_t id)
{
	if (id)
		bind_int(b, id);
	else
		sqlite3_bind_null(b->st, ++b->next);
}

void bind_text(struct binder *b, const char *text)
{
	sqlite3_bind_text(b->st, ++b->next, text, -1, SQLITE_TRANSIENT);
}

void bind_blob(struct binder *b, const void *data, size_t size)
{
	sqlite3_bind_blob64(b->st, ++b->next, data ? data : "", size, SQLITE_STATIC);
}

int64_t read_int(struct reader *r)
{
	return sqlite3_column_int64(r->st, r->next++);
}

/* The first value that makes no sense is named; the file is as good as damaged. */
void reader_reject(struct reader *r)
{
	if (!r->error)
		r->error = store_fail_text(r->store, -EBADMSG, "%s is damaged: column %s makes no sense in a row; move the file away to start afresh",
					   r->store->path, sqlite3_column_name(r->st, r->next - 1));
}

uint64_t read_bounded(struct reader *r, uint64_t limit)
{
	uint64_t value = read_int(r);
	if (value < limit)
		return value;
	reader_reject(r);
	return 0;
}

void read_text(struct reader *r, char *out, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(r->st, r->next++);
	size_t length = text ? strnlen(text, size - 1) : 0;
	memcpy(out, text ? text : "", length);
	memset(out + length, 0, size - length);
}

void read_module(struct reader *r, struct module_key *key)
{
	int error = store_module_key(r->store, read_int(r), key);
	if (error && !r->error)
		r->error = error;
}

size_t read_blob(struct reader *r, void *out, size_t unit, size_t max)
{
	size_t size = sqlite3_column_bytes(r->st, r->next);
	const void *data = sqlite3_column_blob(r->st, r->next++);
	if (size % unit || size / unit > max) {
		reader_reject(r);
		return 0;
	}
	if (size)
		memcpy(out, data, size);
	return size / unit;
}
