#include "monitor/stack_cache.h"

#include <string.h>

static bool holds(const struct stack_cache *c, uint64_t address, size_t size)
{
	return address >= c->start && address - c->start + size <= c->size;
}

/* Walks go upwards: the piece begins where it is asked for. */
static size_t read_cached(void *context, uint64_t address, void *out, size_t size)
{
	struct stack_cache *c = context;
	if (size > 64)
		return c->process->read(c->process->context, address, out, size);
	if (!holds(c, address, size)) {
		c->start = address;
		c->size = c->process->read(c->process->context, address, c->bytes, sizeof c->bytes);
	}
	if (!holds(c, address, size))
		return c->process->read(c->process->context, address, out, size);
	memcpy(out, c->bytes + (address - c->start), size);
	return size;
}

static struct module *module_at(void *context, uint64_t address, uint64_t *bias)
{
	const struct stack_view *v = ((struct stack_cache *)context)->process;
	return v->module_at(v->context, address, bias);
}

static uint64_t procedure_of(void *context, struct module *m, uint64_t offset)
{
	const struct stack_view *v = ((struct stack_cache *)context)->process;
	return v->procedure_of(v->context, m, offset);
}

struct stack_view stack_cache_view(struct stack_cache *c, const struct stack_view *process)
{
	c->process = process;
	c->size = 0;
	return (struct stack_view){c, read_cached, module_at, process->procedure_of ? procedure_of : NULL, process->effort};
}
