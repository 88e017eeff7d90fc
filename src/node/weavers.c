#include "node/weavers.h"

#include <string.h>

#include "node/supervisor.h"

void weavers_family_started(struct family *f)
{
}

static uint64_t loader_hook(const struct loaded *l)
{
	uint64_t hook = 0;
	return !l->module->is_program && module_symbol(l->module, "_dl_debug_state", &hook) ? hook : 0;
}

void weavers_module_loaded(struct family *f, struct loaded *l)
{
	weave_syscalls(f, l);
	if (f->supervisor->options.redirect_all) {
		image_weave(&f->image);
		image_redirect_module(&f->image, l, loader_hook(l));
	}
}

void weavers_applied(struct family *f)
{
}
