/* Invariants, and learning's own state of the procedures. */
#include "node/store_private.h"

#include <errno.h>

/* --- The columns of an invariant, as several tables have them. */

static int bind_variable(struct store *s, struct binder *b, const struct variable *v)
{
	uint64_t module;
	int error = store_module_id(s, &v->at.module, &module);
	bind_int(b, module);
	bind_int(b, v->at.offset);
	bind_int(b, v->slot);
	bind_blob(b, &v->operand, sizeof v->operand);
	return error;
}

int bind_invariant(struct store *s, struct binder *b, const struct invariant *i)
{
	if (i->count > ONE_OF_MAX)
		return store_fail_text(s, -EINVAL, "an invariant with %u values", i->count);
	bind_int(b, i->kind);
	bind_int(b, i->procedure);
	int error = bind_variable(s, b, &i->a);
	if (!error)
		error = bind_variable(s, b, &i->b);
	bind_int(b, i->bound);
	bind_blob(b, i->value, i->count * sizeof *i->value);
	bind_int(b, i->samples);
	bind_int(b, i->a_is_later);
	bind_int(b, i->relative);
	return error;
}

static void read_variable(struct reader *r, struct variable *v)
{
	read_module(r, &v->at.module);
	v->at.offset = read_int(r);
	v->slot = read_bounded(r, SLOT_RETURN + 1);
	read_blob(r, &v->operand, sizeof v->operand, 1);
}

void read_invariant(struct reader *r, struct invariant *i)
{
	i->kind = read_bounded(r, INVARIANT_SP_OFFSET + 1);
	i->procedure = read_int(r);
	read_variable(r, &i->a);
	read_variable(r, &i->b);
	i->bound = read_int(r);
	i->count = read_blob(r, i->value, sizeof *i->value, ONE_OF_MAX);
	i->samples = read_int(r);
	i->a_is_later = read_bounded(r, 2);
	i->relative = read_bounded(r, UINT8_MAX + 1);
}

/* --- Invariants. */

int store_invariant_put(struct store *s, struct invariant *i)
{
	struct binder b = {store_prepare(s, "INSERT INTO invariant(" INVARIANT_COLUMNS ") VALUES(" INVARIANT_PARAMETERS ")"
					    " ON CONFLICT DO UPDATE SET a_operand = excluded.a_operand, b_operand = excluded.b_operand,"
					    " bound = excluded.bound, one_of = excluded.one_of, samples = excluded.samples, a_is_later = excluded.a_is_later,"
					    " relative = excluded.relative RETURNING id")};
	if (!b.st)
		return s->failed;
	return store_execute_put(s, b.st, bind_invariant(s, &b, i), &i->id);
}

int store_invariant_delete(struct store *s, uint64_t id)
{
	struct binder b = {store_prepare(s, "DELETE FROM invariant WHERE id = ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, id);
	int error = store_execute(s, b.st);
	return error || sqlite3_changes(s->db) ? error : store_fail_text(s, -ENOENT, "there is no invariant %llu", (unsigned long long)id);
}

static int get(struct store *s, uint64_t id, struct invariant *i)
{
	struct binder b = {store_prepare(s, "SELECT " INVARIANT_COLUMNS " FROM invariant WHERE id = ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, id);
	int row = store_step(s, b.st);
	struct reader r = {.store = s, .st = b.st};
	*i = (struct invariant){.id = id};
	if (row == 1)
		read_invariant(&r, i);
	return store_finish(b.st, row == 1 ? r.error : row ? row : -ENOENT);
}

static int visit_collected(struct store *s, sqlite3_stmt *st, invariant_visitor *visit, void *context)
{
	store_ids ids = {0};
	int error = store_collect(s, st, &ids);
	for (size_t n = 0; !error && n < ids.count; n++) {
		struct invariant i;
		error = get(s, ids.at[n], &i);
		if (!error)
			error = visit(context, &i);
		else if (error == -ENOENT) /* deleted meanwhile */
			error = 0;
	}
	vec_free(&ids);
	return error;
}

int store_invariants_of_procedure(struct store *s, const struct module_key *module, uint64_t procedure, invariant_visitor *visit, void *context)
{
	uint64_t id;
	int error = store_module_find(s, module, &id);
	if (error)
		return error == -ENOENT ? 0 : error;
	struct binder b = {store_prepare(s, "SELECT id FROM invariant WHERE a_module = ? AND procedure = ? ORDER BY a_offset, a_slot, kind, b_offset")};
	if (!b.st)
		return s->failed;
	bind_int(&b, id);
	bind_int(&b, procedure);
	return visit_collected(s, b.st, visit, context);
}

int store_invariants(struct store *s, const char *module_prefix, const uint64_t *offset, invariant_visitor *visit, void *context)
{
	struct binder b = {store_prepare(s, "SELECT invariant.id FROM invariant JOIN module ON module.id = a_module"
					    " WHERE substr(key, 1, length(?1)) = ?1 AND (?2 IS NULL OR a_offset = ?2)"
					    " ORDER BY a_module, a_offset, a_slot, kind, b_offset")};
	if (!b.st)
		return s->failed;
	bind_text(&b, module_prefix ? module_prefix : "");
	if (offset)
		bind_int(&b, *offset);
	return visit_collected(s, b.st, visit, context);
}

/* --- Learning's state of procedures. */

int store_procedure_state_put(struct store *s, const struct module_key *module, uint64_t procedure, const void *state, size_t size)
{
	uint64_t id;
	int error = store_module_id(s, module, &id);
	if (error)
		return error;
	struct binder b = {store_prepare(s, "INSERT INTO procedure_state(module, procedure, state) VALUES(?, ?, ?)"
					    " ON CONFLICT DO UPDATE SET state = excluded.state")};
	if (!b.st)
		return s->failed;
	bind_int(&b, id);
	bind_int(&b, procedure);
	bind_blob(&b, state, size);
	return store_execute(s, b.st);
}

/* The current row's column, copied. */
static int copy_state(sqlite3_stmt *st, int column, void **state, size_t *size)
{
	const void *data = sqlite3_column_blob(st, column);
	*size = sqlite3_column_bytes(st, column);
	*state = malloc(*size ? *size : 1);
	if (!*state)
		return -ENOMEM;
	memcpy(*state, data ? data : "", *size);
	return 0;
}

int store_procedure_state_get(struct store *s, const struct module_key *module, uint64_t procedure, void **state, size_t *size)
{
	uint64_t id;
	int error = store_module_find(s, module, &id);
	if (error)
		return error;
	struct binder b = {store_prepare(s, "SELECT state FROM procedure_state WHERE module = ? AND procedure = ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, id);
	bind_int(&b, procedure);
	int row = store_step(s, b.st);
	return store_finish(b.st, row == 1 ? copy_state(b.st, 0, state, size) : row ? row : -ENOENT);
}

static int visit_state(struct store *s, uint64_t id, procedure_visitor *visit, void *context)
{
	struct binder b = {store_prepare(s, "SELECT module, procedure, state FROM procedure_state WHERE id = ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, id);
	int row = store_step(s, b.st);
	if (row != 1)
		return store_finish(b.st, row);
	uint64_t module = sqlite3_column_int64(b.st, 0), procedure = sqlite3_column_int64(b.st, 1);
	void *state;
	size_t size;
	struct module_key key;
	int error = store_finish(b.st, copy_state(b.st, 2, &state, &size));
	if (error)
		return error;
	error = store_module_key(s, module, &key);
	if (!error)
		error = visit(context, &key, procedure, state, size);
	free(state);
	return error;
}

int store_procedure_states(struct store *s, procedure_visitor *visit, void *context)
{
	sqlite3_stmt *st = store_prepare(s, "SELECT id FROM procedure_state ORDER BY module, procedure");
	store_ids ids = {0};
	int error = st ? store_collect(s, st, &ids) : s->failed;
	for (size_t i = 0; !error && i < ids.count; i++)
		error = visit_state(s, ids.at[i], visit, context);
	vec_free(&ids);
	return error;
}
