/* Patches, and the checking patches that precede them. */
#include "node/store_private.h"

#include <errno.h>

/* The current row must be there; its columns go to `out`. */
typedef void row_reader(struct reader *r, void *out);

static int get(struct store *s, sqlite3_stmt *st, row_reader *read, void *out)
{
	int row = store_step(s, st);
	struct reader r = {.store = s, .st = st};
	if (row == 1)
		read(&r, out);
	return store_finish(st, row == 1 ? r.error : row ? row : -ENOENT);
}

/* --- Checks. */

#define CHECK_COLUMNS "location, violated_before, satisfied_before, violated_elsewhere, satisfied_elsewhere, correlation, invariant, " INVARIANT_COLUMNS
#define CHECK_PARAMETERS "?, ?, ?, ?, ?, ?, ?, " INVARIANT_PARAMETERS

int store_check_put(struct store *s, struct check *c)
{
	struct binder b = {store_prepare(s, c->id ? "UPDATE correlation_check SET (" CHECK_COLUMNS ") = (" CHECK_PARAMETERS ") WHERE id = ? RETURNING id"
						  : "INSERT INTO correlation_check(" CHECK_COLUMNS ") VALUES(" CHECK_PARAMETERS ") RETURNING id")};
	if (!b.st)
		return s->failed;
	bind_int(&b, c->location);
	bind_int(&b, c->violated_before_failure);
	bind_int(&b, c->satisfied_before_failure);
	bind_int(&b, c->violated_elsewhere);
	bind_int(&b, c->satisfied_elsewhere);
	bind_int(&b, c->correlation);
	bind_int(&b, c->invariant.id);
	int error = bind_invariant(s, &b, &c->invariant);
	if (c->id)
		bind_int(&b, c->id);
	return store_execute_put(s, b.st, error, &c->id);
}

int store_checks_delete(struct store *s, uint64_t location)
{
	struct binder b = {store_prepare(s, "DELETE FROM correlation_check WHERE location = ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, location);
	return store_execute(s, b.st);
}

static void read_check(struct reader *r, void *out)
{
	struct check *c = out;
	*c = (struct check){.id = read_int(r)};
	c->location = read_int(r);
	c->violated_before_failure = read_int(r);
	c->satisfied_before_failure = read_int(r);
	c->violated_elsewhere = read_int(r);
	c->satisfied_elsewhere = read_int(r);
	c->correlation = read_bounded(r, UINT8_MAX + 1);
	uint64_t invariant = read_int(r);
	read_invariant(r, &c->invariant);
	c->invariant.id = invariant;
}

static int get_check(struct store *s, uint64_t id, struct check *out)
{
	struct binder b = {store_prepare(s, "SELECT id, " CHECK_COLUMNS " FROM correlation_check WHERE id = ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, id);
	return get(s, b.st, read_check, out);
}

int store_checks(struct store *s, uint64_t location, check_visitor *visit, void *context)
{
	struct binder b = {store_prepare(s, "SELECT id FROM correlation_check WHERE ?1 = 0 OR location = ?1 ORDER BY id")};
	store_ids ids = {0};
	if (!b.st)
		return s->failed;
	bind_int(&b, location);
	int error = store_collect(s, b.st, &ids);
	for (size_t i = 0; !error && i < ids.count; i++) {
		struct check c;
		error = get_check(s, ids.at[i], &c);
		if (!error)
			error = visit(context, &c);
		else if (error == -ENOENT)
			error = 0;
	}
	vec_free(&ids);
	return error;
}

/* --- Patches. */

#define PATCH_COLUMNS "location, module, offset, guard, action, has_value, depth, value, state, pinned, successes, failures, activations," \
	" invariant, " INVARIANT_COLUMNS
#define PATCH_PARAMETERS "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, " INVARIANT_PARAMETERS

static int bind_patch(struct store *s, struct binder *b, const struct patch *p)
{
	uint64_t module;
	int error = store_module_id(s, &p->at.module, &module);
	bind_id(b, p->failure);
	bind_int(b, module);
	bind_int(b, p->at.offset);
	bind_int(b, p->guard);
	bind_int(b, p->action);
	bind_int(b, p->has_value);
	bind_int(b, p->depth);
	bind_int(b, p->value);
	bind_int(b, p->state);
	bind_int(b, p->pinned);
	bind_int(b, p->successes);
	bind_int(b, p->failures);
	bind_int(b, p->activations);
	bind_int(b, p->invariant.id);
	return error ? error : bind_invariant(s, b, &p->invariant);
}

static bool is_known(const struct patch *p)
{
	return p->guard <= GUARD_HEAP && p->action <= ACTION_RESTORE && p->state <= PATCH_DISABLED && p->has_value <= 1 && p->pinned <= 1;
}

int store_patch_put(struct store *s, struct patch *p)
{
	if (!is_known(p))
		return store_fail_text(s, -EINVAL, "a patch with guard %u, action %u, state %u", p->guard, p->action, p->state);
	struct binder b = {store_prepare(s, p->id ? "UPDATE patch SET (" PATCH_COLUMNS ") = (" PATCH_PARAMETERS ") WHERE id = ? RETURNING id"
						  : "INSERT INTO patch(" PATCH_COLUMNS ") VALUES(" PATCH_PARAMETERS ") RETURNING id")};
	if (!b.st)
		return s->failed;
	int error = bind_patch(s, &b, p);
	if (p->id)
		bind_int(&b, p->id);
	return store_execute_put(s, b.st, error, &p->id);
}

static void read_patch(struct reader *r, void *out)
{
	struct patch *p = out;
	*p = (struct patch){.id = read_int(r)};
	p->failure = read_int(r);
	read_module(r, &p->at.module);
	p->at.offset = read_int(r);
	p->guard = read_bounded(r, GUARD_HEAP + 1);
	p->action = read_bounded(r, ACTION_RESTORE + 1);
	p->has_value = read_bounded(r, 2);
	p->depth = read_bounded(r, UINT8_MAX + 1);
	p->value = read_int(r);
	p->state = read_bounded(r, PATCH_DISABLED + 1);
	p->pinned = read_bounded(r, 2);
	p->successes = read_int(r);
	p->failures = read_int(r);
	p->activations = read_int(r);
	uint64_t invariant = read_int(r);
	read_invariant(r, &p->invariant);
	p->invariant.id = invariant;
}

static int no_patch(struct store *s, uint64_t id)
{
	return store_fail_text(s, -ENOENT, "there is no patch %llu: `clearview patches` lists them", (unsigned long long)id);
}

int store_patch_get(struct store *s, uint64_t id, struct patch *out)
{
	struct binder b = {store_prepare(s, "SELECT id, " PATCH_COLUMNS " FROM patch WHERE id = ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, id);
	int error = get(s, b.st, read_patch, out);
	return error == -ENOENT ? no_patch(s, id) : error;
}

int store_patch_delete(struct store *s, uint64_t id)
{
	struct binder b = {store_prepare(s, "DELETE FROM patch WHERE id = ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, id);
	int error = store_execute(s, b.st);
	return error || sqlite3_changes(s->db) ? error : no_patch(s, id);
}

int store_patch_count(struct store *s, uint64_t id, uint32_t successes, uint32_t failures, uint64_t activations)
{
	struct binder b = {store_prepare(s, "UPDATE patch SET successes = successes + ?, failures = failures + ?, activations = activations + ?"
					    " WHERE id = ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, successes);
	bind_int(&b, failures);
	bind_int(&b, activations);
	bind_int(&b, id);
	int error = store_execute(s, b.st);
	return error || sqlite3_changes(s->db) ? error : no_patch(s, id);
}

int store_patches(struct store *s, uint64_t location, patch_visitor *visit, void *context)
{
	struct binder b = {store_prepare(s, "SELECT id FROM patch WHERE ?1 = 0 OR location = ?1 ORDER BY id")};
	store_ids ids = {0};
	if (!b.st)
		return s->failed;
	bind_int(&b, location);
	int error = store_collect(s, b.st, &ids);
	for (size_t i = 0; !error && i < ids.count; i++) {
		struct patch p;
		error = store_patch_get(s, ids.at[i], &p);
		if (!error)
			error = visit(context, &p);
		else if (error == -ENOENT)
			error = 0;
	}
	vec_free(&ids);
	return error;
}
