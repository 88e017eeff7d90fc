#include "node/failures.h"
#include "base/log.h"
#include "inject/memory.h"

uint64_t failures_fault(struct supervisor *s, struct family *f, pid_t pid, pid_t tid, int signal, uint64_t info, uint64_t context)
{
	struct { uint64_t head[5], r[18]; } c;
	if (!memory_read_all(pid, context, &c, sizeof c)) {
		log_debug("fault %d rip %#lx orig %#lx rsp %#lx", signal, c.r[16], image_original(&f->image, c.r[16]), c.r[15]);
		for (int i = 0; i < 17; i++) log_debug(" r%d %#lx", i, c.r[i]);
		for (size_t i = 0; i < f->image.modules.count; i++) log_debug("%s %#lx text %#lx-%#lx", f->image.modules.at[i]->module->path, f->image.modules.at[i]->bias, f->image.modules.at[i]->text.start, f->image.modules.at[i]->text.end);
	}
	return VERDICT_DIE;
}

uint64_t failures_heap(struct supervisor *s, struct family *f, pid_t pid, pid_t tid, const uint64_t arg[6])
{
	return VERDICT_DIE;
}
