#include "node/procedures.h"

#include <stdlib.h>

#include "base/vec.h"

struct cached {
	struct procedure *procedure;
	struct predominators *predominators; /* made when first asked for */
};

/* One module's: by index of its .eh_frame ranges; what lies outside them in a list. */
struct module_procedures {
	struct module *module;
	struct cached **by_range;
	VEC(struct cached *) all, outside;
};

static VEC(struct module_procedures *) cache;

static struct module_procedures *of_module(struct module *m)
{
	for (size_t i = 0; i < cache.count; i++)
		if (cache.at[i]->module == m)
			return cache.at[i];
	struct module_procedures *fresh = calloc(1, sizeof *fresh);
	if (!fresh || !(fresh->by_range = calloc(m->range_count + 1, sizeof *fresh->by_range)))
		abort();
	fresh->module = m;
	vec_push(&cache, fresh);
	return fresh;
}

static struct cached *remember(struct module_procedures *mp, struct procedure *p)
{
	struct cached *c = calloc(1, sizeof *c);
	if (!c)
		abort();
	c->procedure = p;
	vec_push(&mp->all, c);
	for (size_t i = 0; i < p->range_count; i++) {
		size_t range = module_range_index(mp->module, p->ranges[i].start);
		if (range == SIZE_MAX)
			vec_push(&mp->outside, c);
		else if (!mp->by_range[range] || i == 0)
			mp->by_range[range] = c;
	}
	return c;
}

static struct cached *find(struct module *m, uint64_t offset)
{
	struct module_procedures *mp = of_module(m);
	size_t range = module_range_index(m, offset);
	struct procedure *p;
	if (range != SIZE_MAX && mp->by_range[range])
		return mp->by_range[range];
	for (size_t i = 0; range == SIZE_MAX && i < mp->outside.count; i++)
		if (procedure_insn(mp->outside.at[i]->procedure, offset))
			return mp->outside.at[i];
	return procedure_get(m, offset, &p) ? NULL : remember(mp, p);
}

const struct procedure *procedures_get(struct module *m, uint64_t offset)
{
	struct cached *c = find(m, offset);
	return c ? c->procedure : NULL;
}

const struct predominators *procedures_predominators(struct module *m, uint64_t offset)
{
	struct cached *c = find(m, offset);
	if (c && !c->predominators)
		c->predominators = predominators_new(c->procedure);
	return c ? c->predominators : NULL;
}

void procedures_free(void)
{
	for (size_t i = 0; i < cache.count; i++) {
		struct module_procedures *mp = cache.at[i];
		for (size_t k = 0; k < mp->all.count; k++) {
			predominators_free(mp->all.at[k]->predominators);
			procedure_free(mp->all.at[k]->procedure);
			free(mp->all.at[k]);
		}
		vec_free(&mp->all);
		vec_free(&mp->outside);
		free(mp->by_range);
		free(mp);
	}
	vec_free(&cache);
}
