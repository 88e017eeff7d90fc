#include "node/procedures.h"

#include "base/vec.h"

struct cached {
	struct module *module;
	struct procedure *procedure;
	struct predominators *predominators; /* made when first asked for */
};

static VEC(struct cached) cache;

static struct cached *find(struct module *m, uint64_t offset)
{
	for (size_t i = 0; i < cache.count; i++) {
		struct cached *c = &cache.at[i];
		if (c->module != m || !procedure_insn(c->procedure, offset))
			continue;
		return c;
	}
	struct procedure *p;
	if (procedure_decode(m, offset, &p))
		return NULL;
	vec_push(&cache, (struct cached){m, p, NULL});
	return &cache.at[cache.count - 1];
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
		predominators_free(cache.at[i].predominators);
		procedure_free(cache.at[i].procedure);
	}
	vec_free(&cache);
}
