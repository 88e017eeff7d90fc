#include "node/weavers.h"

#include "node/enforce.h"
#include "node/heap_watch.h"
#include "node/learning.h"
#include "node/perf_map.h"
#include "node/progress.h"
#include "node/seen_modules.h"
#include "node/served.h"
#include "node/supervisor.h"
#include "node/weave_heap_writes.h"
#include "node/weave_shadow.h"

void weavers_family_started(struct family *f)
{
	heap_watch_family_started(f);
}

uint64_t weavers_loader_hook(const struct loaded *l)
{
	uint64_t hook = 0;
	return !l->module->is_program && module_symbol(l->module, "_dl_debug_state", &hook) ? hook : 0;
}

void weavers_redirect_all(struct family *f, struct loaded *l)
{
	if (!f->supervisor->options.redirect_all)
		return;
	if (f->image.tables->lazy && image_make_lazy(&f->image, l))
		return;
	image_weave(&f->image);
	image_redirect_module(&f->image, l, weavers_loader_hook(l), progress);
}

void weavers_module_loaded(struct family *f, struct loaded *l)
{
	seen_modules_note(l->module);
	weave_shadow_module_loaded(f, l);
	weave_heap_writes_module_loaded(f, l);
	weave_syscalls(f, l);
	learning_module_loaded(f->supervisor, f, l);
	heap_watch_module_loaded(f, l);
	enforcement_module_loaded(f->supervisor->enforcement, f, l);
	if (!f->is_attaching)
		weavers_redirect_all(f, l);
}

void weavers_modules_known(struct family *f)
{
	heap_watch_modules_known(f);
}

void weavers_module_unloaded(struct family *f, struct loaded *l)
{
	learning_module_unloaded(f->supervisor, f, l);
	weave_shadow_module_unloaded(l);
	weave_heap_writes_module_unloaded(l);
	enforcement_module_unloaded(f->supervisor->enforcement, f, l);
}

void weavers_family_ended(struct family *f)
{
	learning_family_ended(f->supervisor, f);
	for (size_t i = 0; i < f->image.modules.count; i++) {
		weave_shadow_module_unloaded(f->image.modules.at[i]);
		weave_heap_writes_module_unloaded(f->image.modules.at[i]);
	}
	enforcement_family_ended(f->supervisor->enforcement, f);
	served_family_ended(f->supervisor, f);
	heap_watch_family_ended(f);
}

void weavers_applied(struct family *f)
{
	enforcement_applied(f->supervisor->enforcement, f);
	heap_watch_applied(f);
	if (f->supervisor->options.perf_map)
		perf_map_update(f);
}
