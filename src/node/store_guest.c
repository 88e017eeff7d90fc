/* Guests: what the supervisors of this state folder guard now. Containers may share the folder: everybody sees the rows of its own pid namespace. */
#include "node/store_private.h"

#include <errno.h>
#include <sys/stat.h>

#define GUEST_COLUMNS "namespace, pid, supervisor, pid_start, supervisor_start, since_us, redirected, native_refused, patches, program, detail"

static uint64_t own_namespace(void)
{
	struct stat st;
	return stat("/proc/self/ns/pid", &st) ? 0 : st.st_ino;
}

int store_guest_put(struct store *s, const struct guest_row *g)
{
	struct binder b = {store_prepare(s, "INSERT OR REPLACE INTO guest(" GUEST_COLUMNS ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")};
	if (!b.st)
		return s->failed;
	bind_int(&b, own_namespace());
	bind_int(&b, g->pid);
	bind_int(&b, g->supervisor);
	bind_int(&b, g->pid_start);
	bind_int(&b, g->supervisor_start);
	bind_int(&b, g->since_us);
	bind_int(&b, g->redirected);
	bind_int(&b, g->native_refused);
	bind_int(&b, g->patches);
	bind_text(&b, g->program);
	bind_text(&b, g->detail);
	return store_execute(s, b.st);
}

int store_guest_delete(struct store *s, pid_t pid)
{
	struct binder b = {store_prepare(s, "DELETE FROM guest WHERE namespace = ? AND pid = ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, own_namespace());
	bind_int(&b, pid);
	int error = store_execute(s, b.st);
	return error || sqlite3_changes(s->db) ? error : store_fail_text(s, -ENOENT, "process %d is not guarded", pid);
}

static int visit_guest(struct store *s, uint64_t pid, guest_visitor *visit, void *context)
{
	struct binder b = {store_prepare(s, "SELECT " GUEST_COLUMNS " FROM guest WHERE namespace = ? AND pid = ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, own_namespace());
	bind_int(&b, pid);
	int row = store_step(s, b.st);
	if (row != 1)
		return store_finish(b.st, row);
	struct reader r = {.store = s, .st = b.st};
	read_int(&r); /* its namespace */
	struct guest_row g = {.pid = read_int(&r)};
	g.supervisor = read_int(&r);
	g.pid_start = read_int(&r);
	g.supervisor_start = read_int(&r);
	g.since_us = read_int(&r);
	g.redirected = read_int(&r);
	g.native_refused = read_int(&r);
	g.patches = read_int(&r);
	read_text(&r, g.program, sizeof g.program);
	read_text(&r, g.detail, sizeof g.detail);
	store_finish(b.st, 0);
	return visit(context, &g);
}

int store_guests(struct store *s, guest_visitor *visit, void *context)
{
	struct binder b = {store_prepare(s, "SELECT pid FROM guest WHERE namespace = ? ORDER BY pid")};
	store_ids ids = {0};
	if (!b.st)
		return s->failed;
	bind_int(&b, own_namespace());
	int error = store_collect(s, b.st, &ids);
	for (size_t i = 0; !error && i < ids.count; i++)
		error = visit_guest(s, ids.at[i], visit, context);
	vec_free(&ids);
	return error;
}
