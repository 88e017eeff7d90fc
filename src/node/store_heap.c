/* Armed allocation sites: blocks allocated there have been overrun. */
#include "node/store_private.h"

int store_heap_site_put(struct store *s, const struct point *call, uint64_t size_class)
{
	uint64_t module;
	int error = store_module_id(s, &call->module, &module);
	if (error)
		return error;
	struct binder b = {store_prepare(s, "INSERT OR IGNORE INTO heap_site(module, offset, size_class) VALUES(?, ?, ?)")};
	if (!b.st)
		return s->failed;
	bind_int(&b, module);
	bind_int(&b, call->offset);
	bind_int(&b, size_class);
	return store_execute(s, b.st);
}

static int visit_site(struct store *s, uint64_t id, heap_site_visitor *visit, void *context)
{
	struct binder b = {store_prepare(s, "SELECT module, offset, size_class FROM heap_site WHERE id = ?")};
	if (!b.st)
		return s->failed;
	bind_int(&b, id);
	struct point call = {0};
	uint64_t size_class = 0;
	int row = store_step(s, b.st);
	struct reader r = {.store = s, .st = b.st};
	if (row == 1) {
		read_module(&r, &call.module);
		call.offset = read_int(&r);
		size_class = read_int(&r);
		row = r.error ? r.error : 1;
	}
	row = store_finish(b.st, row);
	return row == 1 ? visit(context, &call, size_class) : row;
}

int store_heap_sites(struct store *s, heap_site_visitor *visit, void *context)
{
	store_ids ids = {0};
	sqlite3_stmt *st = store_prepare(s, "SELECT id FROM heap_site ORDER BY id");
	int result = st ? store_collect(s, st, &ids) : s->failed;
	for (size_t i = 0; !result && i < ids.count; i++)
		result = visit_site(s, ids.at[i], visit, context);
	vec_free(&ids);
	return result;
}
