#include "learn_sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "learn/evaluate.h"

static int may_fail(struct sink *s)
{
	return s->calls_until_failure && !--s->calls_until_failure ? -ENOSPC : 0;
}

static void drop_contents(struct sink *s)
{
	for (size_t i = 0; i < s->row_count; i++)
		free(s->rows[i].bytes);
	free(s->rows);
	set_release(&s->invariants);
}

static void *copy(const void *bytes, size_t size)
{
	void *to = malloc(size ? size : 1);
	if (size)
		memcpy(to, bytes, size);
	return to;
}

static int begin(void *context)
{
	struct sink *s = context;
	int error = may_fail(s);
	if (error)
		return error;
	struct sink *saved = calloc(1, sizeof *saved);
	saved->rows = copy(s->rows, s->row_count * sizeof *s->rows);
	saved->row_count = s->row_count;
	for (size_t i = 0; i < s->row_count; i++)
		saved->rows[i].bytes = copy(s->rows[i].bytes, s->rows[i].size);
	for (size_t i = 0; i < s->invariants.count; i++)
		set_add(&saved->invariants, &s->invariants.at[i]);
	s->saved = saved;
	return 0;
}

static void rollback(void *context)
{
	struct sink *s = context;
	drop_contents(s);
	s->rows = s->saved->rows;
	s->row_count = s->saved->row_count;
	s->invariants = s->saved->invariants;
	free(s->saved);
	s->saved = NULL;
}

static int commit(void *context)
{
	struct sink *s = context;
	if (may_fail(s)) {
		rollback(s);
		return -ENOSPC;
	}
	drop_contents(s->saved);
	free(s->saved);
	s->saved = NULL;
	return 0;
}

static struct sink_row *find(const struct sink *s, uint64_t procedure)
{
	for (size_t i = 0; i < s->row_count; i++)
		if (s->rows[i].procedure == procedure)
			return &s->rows[i];
	return NULL;
}

static int state_get(void *context, const struct module_key *module, uint64_t procedure, void **state, size_t *size)
{
	struct sink *s = context;
	const struct sink_row *row = find(s, procedure);
	if (may_fail(s))
		return -ENOSPC;
	if (!row)
		return -ENOENT;
	*state = copy(row->bytes, row->size);
	*size = row->size;
	return 0;
}

static int state_put(void *context, const struct module_key *module, uint64_t procedure, const void *state, size_t size)
{
	struct sink *s = context;
	struct sink_row *row = find(s, procedure);
	if (may_fail(s))
		return -ENOSPC;
	if (!row) {
		s->rows = realloc(s->rows, (s->row_count + 1) * sizeof *s->rows);
		row = &s->rows[s->row_count++];
		*row = (struct sink_row){.procedure = procedure};
	}
	free(row->bytes);
	row->bytes = copy(state, size);
	row->size = size;
	return 0;
}

static int invariants(void *context, const struct module_key *module, uint64_t procedure, state_invariant_visitor *visit, void *visitor_context)
{
	struct sink *s = context;
	int stop = may_fail(s);
	for (size_t i = 0; i < s->invariants.count && !stop; i++)
		if (s->invariants.at[i].procedure == procedure)
			stop = visit(visitor_context, &s->invariants.at[i]);
	return stop;
}

static int invariant_put(void *context, struct invariant *new)
{
	struct sink *s = context;
	if (may_fail(s))
		return -ENOSPC;
	for (size_t i = 0; i < s->invariants.count; i++)
		if (invariant_same(&s->invariants.at[i], new)) {
			new->id = s->invariants.at[i].id;
			s->invariants.at[i] = *new;
			return 0;
		}
	new->id = ++s->next_id;
	set_add(&s->invariants, new);
	return 0;
}

static int invariant_delete(void *context, uint64_t id)
{
	struct sink *s = context;
	if (may_fail(s))
		return -ENOSPC;
	for (size_t i = 0; i < s->invariants.count; i++)
		if (s->invariants.at[i].id == id) {
			s->invariants.at[i] = s->invariants.at[--s->invariants.count];
			return 0;
		}
	return -ENOENT;
}

void sink_init(struct sink *s)
{
	*s = (struct sink){
		.functions = {s, begin, commit, rollback, state_get, state_put, invariants, invariant_put, invariant_delete},
	};
}

void sink_release(struct sink *s)
{
	drop_contents(s);
	*s = (struct sink){0};
}

bool sink_state(const struct sink *s, uint64_t procedure, struct state *out)
{
	const struct sink_row *row = find(s, procedure);
	return row && !state_decode(row->bytes, row->size, out);
}
