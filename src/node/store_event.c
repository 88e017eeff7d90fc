/* The log of everything that happened. */
#include "node/store_private.h"

#include <errno.h>
#include <time.h>

enum { EVENTS_KEPT = 100000, EVENTS_SLACK = 1024 };

static int forget_old(struct store *s, int64_t newest)
{
	struct binder b = {store_prepare(s, "DELETE FROM event WHERE id <= ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, newest - EVENTS_KEPT);
	return store_execute(s, b.st);
}

int store_event_add(struct store *s, const struct event *e)
{
	struct binder b = {store_prepare(s, "INSERT INTO event(time_us, kind, location, patch, pid, text) VALUES(?, ?, ?, ?, ?, ?)")};
	if (!b.st)
		return s->failed;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	bind_int(&b, e->time_us ? e->time_us : now.tv_sec * 1000000ll + now.tv_nsec / 1000);
	bind_text(&b, e->kind);
	bind_int(&b, e->location);
	bind_int(&b, e->patch);
	bind_int(&b, e->pid);
	bind_text(&b, e->text);
	int error = store_execute(s, b.st);
	int64_t id = sqlite3_last_insert_rowid(s->db);
	return error || id % EVENTS_SLACK ? error : forget_old(s, id);
}

static int visit_event(struct store *s, uint64_t id, event_visitor *visit, void *context)
{
	struct binder b = {store_prepare(s, "SELECT id, time_us, kind, location, patch, pid, text FROM event WHERE id = ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, id);
	int row = store_step(s, b.st);
	if (row != 1)
		return store_finish(b.st, row);
	struct reader r = {.store = s, .st = b.st};
	struct event e = {.id = read_int(&r)};
	e.time_us = read_int(&r);
	read_text(&r, e.kind, sizeof e.kind);
	e.location = read_int(&r);
	e.patch = read_int(&r);
	e.pid = read_int(&r);
	read_text(&r, e.text, sizeof e.text);
	store_finish(b.st, 0);
	return visit(context, &e);
}

static int visit_all(struct store *s, sqlite3_stmt *st, event_visitor *visit, void *context)
{
	store_ids ids = {0};
	int error = store_collect(s, st, &ids);
	for (size_t i = 0; !error && i < ids.count; i++)
		error = visit_event(s, ids.at[i], visit, context);
	vec_free(&ids);
	return error;
}

int store_events(struct store *s, uint64_t after_id, event_visitor *visit, void *context)
{
	struct binder b = {store_prepare(s, "SELECT id FROM event WHERE id > ? ORDER BY id")};
	if (!b.st)
		return s->failed;
	bind_int(&b, after_id);
	return visit_all(s, b.st, visit, context);
}

#define EVENTS_OF_KIND "SELECT id FROM event WHERE kind = ?1 AND (?2 = 0 OR location = ?2) AND (?3 = 0 OR patch = ?3) ORDER BY id "
#define EVENTS_OF_ANY "SELECT id FROM event WHERE location = ?2 AND (?3 = 0 OR patch = ?3) ORDER BY id "

static const char *statement_of(bool any_kind, bool newest_first)
{
	if (any_kind)
		return newest_first ? EVENTS_OF_ANY "DESC" : EVENTS_OF_ANY;
	return newest_first ? EVENTS_OF_KIND "DESC" : EVENTS_OF_KIND;
}

int store_events_of(struct store *s, const char *kind, uint64_t location, uint64_t patch, bool newest_first, event_visitor *visit, void *context)
{
	struct binder b = {store_prepare(s, statement_of(!kind, newest_first))};
	if (!b.st)
		return s->failed;
	bind_text(&b, kind);
	bind_int(&b, location);
	bind_int(&b, patch);
	return visit_all(s, b.st, visit, context);
}
