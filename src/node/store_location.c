/* Failure locations and their occurrences. */
#include "node/store_private.h"

#include <errno.h>

/* A program that only pretends to fail, everywhere and all the time, doesn't fill the disk. */
enum { LOCATIONS_KEPT = 2000, OCCURRENCES_KEPT = 1000, OCCURRENCES_KEPT_IN_ALL = 50000 };

const char *const location_state_names[LOCATION_STATE_COUNT] = {"detected", "checking", "repairing", "patched"};

/* --- The columns of a failure. */

/* A frame is five words: module row, offset, procedure, address, canonical frame address. */
static int pack_stack(struct store *s, const struct failure *f, struct failure_columns *columns)
{
	int error = 0;
	for (unsigned i = 0; !error && i < f->depth; i++) {
		const struct frame *frame = &f->stack[i];
		uint64_t *word = columns->stack[i];
		error = store_module_id(s, &frame->at.module, &word[0]);
		word[1] = frame->at.offset;
		word[2] = frame->procedure;
		word[3] = frame->address;
		word[4] = frame->cfa;
	}
	return error;
}

int bind_failure(struct store *s, struct binder *b, const struct failure *f, struct failure_columns *columns)
{
	uint64_t module;
	if (f->depth > STACK_DEPTH_MAX || f->monitor >= MONITOR_COUNT)
		return store_fail_text(s, -EINVAL, "a failure with %u frames, monitor %u", f->depth, f->monitor);
	int error = store_module_id(s, &f->at.module, &module);
	if (!error)
		error = pack_stack(s, f, columns);
	memcpy(columns->registers, f->registers, sizeof f->registers);
	columns->registers[REG_COUNT] = f->rip;
	columns->registers[REG_COUNT + 1] = f->rflags;
	bind_int(b, f->monitor);
	bind_int(b, module);
	bind_int(b, f->at.offset);
	bind_int(b, f->signal);
	bind_int(b, f->fault_address);
	bind_blob(b, columns->registers, sizeof columns->registers);
	bind_blob(b, columns->stack, f->depth * sizeof columns->stack[0]);
	bind_int(b, f->location_frame);
	bind_text(b, f->facts);
	bind_int(b, f->pid);
	bind_int(b, f->tid);
	bind_int(b, f->time_us);
	bind_text(b, f->program);
	return error;
}

static void unpack_stack(struct reader *r, struct failure *f)
{
	struct failure_columns columns;
	f->depth = read_blob(r, columns.stack, sizeof columns.stack[0], STACK_DEPTH_MAX);
	for (unsigned i = 0; i < f->depth; i++) {
		const uint64_t *word = columns.stack[i];
		f->stack[i] = (struct frame){.at.offset = word[1], .procedure = word[2], .address = word[3], .cfa = word[4]};
		int error = store_module_key(r->store, word[0], &f->stack[i].at.module);
		if (error && !r->error)
			r->error = error;
	}
}

void read_failure(struct reader *r, struct failure *f)
{
	uint64_t registers[REG_COUNT + 2] = {0};
	f->monitor = read_bounded(r, MONITOR_COUNT);
	read_module(r, &f->at.module);
	f->at.offset = read_int(r);
	f->signal = read_int(r);
	f->fault_address = read_int(r);
	read_blob(r, registers, sizeof registers, 1);
	memcpy(f->registers, registers, sizeof f->registers);
	f->rip = registers[REG_COUNT];
	f->rflags = registers[REG_COUNT + 1];
	unpack_stack(r, f);
	f->location_frame = read_bounded(r, STACK_DEPTH_MAX);
	read_text(r, f->facts, sizeof f->facts);
	f->pid = read_int(r);
	f->tid = read_int(r);
	f->time_us = read_int(r);
	read_text(r, f->program, sizeof f->program);
}

/* --- Locations. */

static int read_location(struct store *s, sqlite3_stmt *st, struct location *l)
{
	struct reader r = {.store = s, .st = st};
	*l = (struct location){.id = read_int(&r)};
	l->state = read_bounded(&r, LOCATION_STATE_COUNT);
	l->presentations = read_int(&r);
	l->check_failures = read_int(&r);
	l->first_us = read_int(&r);
	l->last_us = read_int(&r);
	l->patched_us = read_int(&r);
	l->monitor = read_bounded(&r, MONITOR_COUNT);
	read_module(&r, &l->at.module);
	l->at.offset = read_int(&r);
	read_failure(&r, &l->last);
	l->last.id = l->id;
	return r.error;
}

#define LOCATION_COLUMNS "state, presentations, check_failures, first_us, last_us, patched_us, at_monitor, at_module, at_offset, " FAILURE_COLUMNS
#define LOCATION_PARAMETERS "?, ?, ?, ?, ?, ?, ?, ?, ?, " FAILURE_PARAMETERS

int store_location_get(struct store *s, uint64_t id, struct location *out)
{
	struct binder b = {store_prepare(s, "SELECT id, " LOCATION_COLUMNS " FROM location WHERE id = ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, id);
	int row = store_step(s, b.st);
	if (!row)
		row = store_fail_text(s, -ENOENT, "there is no failure %llu: `clearview failures` lists them", (unsigned long long)id);
	return store_finish(b.st, row == 1 ? read_location(s, b.st, out) : row);
}

int store_location_find(struct store *s, uint8_t monitor, const struct point *at, struct location *out)
{
	uint64_t module;
	int error = store_module_find(s, &at->module, &module);
	if (error)
		return error;
	struct binder b = {store_prepare(s, "SELECT id, " LOCATION_COLUMNS " FROM location"
					    " WHERE at_monitor = ? AND at_module = ? AND at_offset = ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, monitor);
	bind_int(&b, module);
	bind_int(&b, at->offset);
	int row = store_step(s, b.st);
	return store_finish(b.st, row == 1 ? read_location(s, b.st, out) : row ? row : -ENOENT);
}

static int bind_location(struct store *s, struct binder *b, const struct location *l, struct failure_columns *columns)
{
	uint64_t module;
	if (l->monitor >= MONITOR_COUNT || l->state >= LOCATION_STATE_COUNT)
		return store_fail_text(s, -EINVAL, "a location with monitor %u, state %u", l->monitor, l->state);
	int error = store_module_id(s, &l->at.module, &module);
	bind_int(b, l->state);
	bind_int(b, l->presentations);
	bind_int(b, l->check_failures);
	bind_int(b, l->first_us);
	bind_int(b, l->last_us);
	bind_int(b, l->patched_us);
	bind_int(b, l->monitor);
	bind_int(b, module);
	bind_int(b, l->at.offset);
	return error ? error : bind_failure(s, b, &l->last, columns);
}

/* Those without a patch that nothing has been heard of for longest. */
static int forget_old_locations(struct store *s)
{
	struct binder b = {store_prepare(s, "DELETE FROM location WHERE id IN (SELECT id FROM location WHERE state <> ?1 AND NOT EXISTS"
					    " (SELECT 1 FROM patch WHERE patch.location = location.id AND pinned <> 0)"
					    " ORDER BY last_us DESC, id DESC LIMIT -1 OFFSET ?2)")};
	if (!b.st)
		return s->failed;
	bind_int(&b, LOCATION_PATCHED);
	bind_int(&b, LOCATIONS_KEPT);
	return store_execute(s, b.st);
}

int store_location_put(struct store *s, struct location *l)
{
	struct failure_columns columns;
	bool is_new = !l->id;
	struct binder b = {store_prepare(s, l->id ? "UPDATE location SET (" LOCATION_COLUMNS ") = (" LOCATION_PARAMETERS ") WHERE id = ? RETURNING id"
						  : "INSERT INTO location(" LOCATION_COLUMNS ") VALUES(" LOCATION_PARAMETERS ") RETURNING id")};
	if (!b.st)
		return s->failed;
	int error = bind_location(s, &b, l, &columns);
	if (l->id)
		bind_int(&b, l->id);
	error = store_execute_put(s, b.st, error, &l->id);
	return error || !is_new ? error : forget_old_locations(s);
}

int store_location_delete(struct store *s, uint64_t id)
{
	struct binder b = {store_prepare(s, "DELETE FROM location WHERE id = ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, id);
	int error = store_execute(s, b.st);
	return error || sqlite3_changes(s->db) ? error : store_fail_text(s, -ENOENT, "there is no failure %llu", (unsigned long long)id);
}

int store_locations(struct store *s, location_visitor *visit, void *context)
{
	sqlite3_stmt *st = store_prepare(s, "SELECT id FROM location ORDER BY id");
	store_ids ids = {0};
	int error = st ? store_collect(s, st, &ids) : s->failed;
	for (size_t i = 0; !error && i < ids.count; i++) {
		struct location l;
		error = store_location_get(s, ids.at[i], &l);
		if (!error)
			error = visit(context, &l);
		else if (error == -ENOENT)
			error = 0;
	}
	vec_free(&ids);
	return error;
}

/* --- Occurrences. */

static int forget_oldest(struct store *s, int64_t newest)
{
	struct binder b = {store_prepare(s, "DELETE FROM occurrence WHERE id <= ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, newest - OCCURRENCES_KEPT_IN_ALL);
	return store_execute(s, b.st);
}

static int forget_old(struct store *s, uint64_t location)
{
	struct binder b = {store_prepare(s, "DELETE FROM occurrence WHERE location = ?1 AND id <="
					    " (SELECT id FROM occurrence WHERE location = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)")};
	if (!b.st)
		return s->failed;
	bind_int(&b, location);
	bind_int(&b, OCCURRENCES_KEPT);
	return store_execute(s, b.st);
}

int store_occurrence_add(struct store *s, const struct failure *f, const char *outcome)
{
	struct failure_columns columns;
	struct binder b = {store_prepare(s, "INSERT INTO occurrence(location, outcome, " FAILURE_COLUMNS ") VALUES(?, ?, " FAILURE_PARAMETERS ")")};
	if (!b.st)
		return s->failed;
	bind_int(&b, f->id);
	bind_text(&b, outcome);
	int error = bind_failure(s, &b, f, &columns);
	if (error)
		return store_finish(b.st, error);
	error = store_execute(s, b.st);
	int64_t id = sqlite3_last_insert_rowid(s->db);
	if (!error)
		error = forget_old(s, f->id);
	return error ? error : forget_oldest(s, id);
}

static int visit_occurrence(struct store *s, uint64_t id, occurrence_visitor *visit, void *context)
{
	struct binder b = {store_prepare(s, "SELECT location, outcome, " FAILURE_COLUMNS " FROM occurrence WHERE id = ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, id);
	int row = store_step(s, b.st);
	if (row != 1)
		return store_finish(b.st, row);
	struct reader r = {.store = s, .st = b.st};
	struct failure f = {.id = read_int(&r)};
	char outcome[64];
	read_text(&r, outcome, sizeof outcome);
	read_failure(&r, &f);
	int error = store_finish(b.st, r.error);
	return error ? error : visit(context, &f, outcome);
}

int store_occurrences(struct store *s, uint64_t location, occurrence_visitor *visit, void *context)
{
	struct binder b = {store_prepare(s, "SELECT id FROM occurrence WHERE location = ? ORDER BY id DESC")};
	store_ids ids = {0};
	if (!b.st)
		return s->failed;
	bind_int(&b, location);
	int error = store_collect(s, b.st, &ids);
	for (size_t i = 0; !error && i < ids.count; i++)
		error = visit_occurrence(s, ids.at[i], visit, context);
	vec_free(&ids);
	return error;
}
