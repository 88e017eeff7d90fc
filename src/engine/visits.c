/* A bug provoker: a counting probe at every basic block, or at every instruction, of whatever is redirected. All of them count in one tally. Or, to tell what is
 * executed at all, at every procedure's entry, each in its own. */
#include <errno.h>
#include <stdlib.h>

#include "engine/image.h"
#include "engine/image_private.h"

typedef VEC(struct weave) weave_list;

static void make_probe(struct image *im, uint32_t *probe)
{
	if (*probe || !(*probe = image_probe_new(im)))
		return;
	im->tables->probe[*probe].work = PROBE_VISIT;
	im->tables->probe[*probe].enabled = 1;
}

/* 0: nothing is counted in this procedure. */
static uint32_t visit_probe(struct image *im, struct loaded *l, const struct procedure *p)
{
	if (im->visits != VISITS_PROCEDURES) {
		make_probe(im, &im->visit_probe);
		return im->visit_probe;
	}
	size_t range = module_range_index(l->module, p->entry);
	if (range == SIZE_MAX)
		return 0;
	if (!l->visit_probes && !(l->visit_probes = calloc(l->module->range_count, sizeof *l->visit_probes)))
		abort();
	make_probe(im, &l->visit_probes[range]);
	return l->visit_probes[range];
}

size_t image_visited(const struct image *im, const struct loaded *l)
{
	size_t n = 0;
	for (size_t i = 0; l->visit_probes && i < l->module->range_count; i++)
		n += l->visit_probes[i] && im->shared->tally[l->visit_probes[i]].runs;
	return n;
}

static bool *visited_insns(const struct image *im, const struct procedure *p)
{
	bool *visited = calloc(p->insn_count, sizeof *visited);
	if (!visited)
		abort();
	for (size_t b = 0; b < p->block_count && im->visits != VISITS_PROCEDURES; b++)
		visited[p->blocks[b].first] = true;
	for (size_t k = 0; k < p->insn_count && im->visits == VISITS_PROCEDURES; k++)
		visited[k] = p->insns[k].address == p->entry;
	for (size_t k = 0; k < p->insn_count && im->visits == VISITS_INSTRUCTIONS; k++)
		visited[k] = true;
	return visited;
}

/* All in one list, by offset; at an instruction the visit is counted first. */
static void merge(const struct image *im, uint32_t probe, const struct procedure *p, const struct weave *weaves, size_t count, weave_list *all)
{
	bool *visited = visited_insns(im, p);
	size_t next = 0;
	for (size_t k = 0; k < p->insn_count; k++) {
		uint64_t offset = p->insns[k].address;
		while (next < count && weaves[next].offset < offset)
			vec_push(all, weaves[next++]);
		if (visited[k])
			vec_push(all, (struct weave){.offset = offset, .place = WEAVE_BEFORE, .probe = probe});
	}
	while (next < count)
		vec_push(all, weaves[next++]);
	free(visited);
}

static void tell_resume_addresses(uint32_t probe, const weave_list *all, struct weave *weaves)
{
	size_t next = 0;
	for (size_t i = 0; i < all->count; i++)
		if (all->at[i].place == WEAVE_DETOUR || all->at[i].probe != probe)
			weaves[next++].resume_address = all->at[i].resume_address;
}

int image_emit_copy(struct image *im, struct loaded *l, const struct procedure *p, struct weave *weaves, size_t count, bool sparing, struct copy **out)
{
	const struct inline_weaver *inlined[INLINE_WEAVERS_MAX];
	size_t inlined_count = 0;
	for (size_t i = 0; i < l->inlined_count; i++)
		if (!sparing || !l->inlined[i]->yields)
			inlined[inlined_count++] = l->inlined[i];
	if (l->module->is_lost)
		return -EIO;
	uint32_t probe = im->visits ? visit_probe(im, l, p) : 0;
	if (!probe)
		return copy_emit(p, l->bias, l->zone, weaves, count, inlined, inlined_count, out);
	weave_list all = {0};
	merge(im, probe, p, weaves, count, &all);
	int status = copy_emit(p, l->bias, l->zone, all.at, all.count, inlined, inlined_count, out);
	if (!status)
		tell_resume_addresses(probe, &all, weaves);
	vec_free(&all);
	return status;
}
