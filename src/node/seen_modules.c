#include "node/seen_modules.h"

#include "base/log.h"
#include "base/vec.h"

static VEC(const struct module *) seen;
static size_t written;

void seen_modules_note(const struct module *m)
{
	for (size_t i = 0; i < seen.count; i++)
		if (seen.at[i] == m)
			return;
	vec_push(&seen, m);
}

void seen_modules_flush(struct store *s)
{
	if (written == seen.count)
		return;
	int status = store_begin(s);
	if (!status) {
		for (size_t i = written; i < seen.count && !status; i++)
			status = store_module_seen(s, &seen.at[i]->key, seen.at[i]->path);
		if (status)
			store_rollback(s);
		else
			status = store_commit(s);
	}
	if (status)
		log_warning("modules could not be stored: %s", store_error(s));
	written = seen.count;
}

void seen_modules_forget(void)
{
	vec_free(&seen);
	written = 0;
}
