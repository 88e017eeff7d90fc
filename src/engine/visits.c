/* A bug provoker: a counting probe at every basic block, or at every instruction, of whatever is redirected. All of them count in one tally. Or, to tell what is
 * executed at all, at every procedure's entry, each in its own. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "engine/image.h"
#include "engine/image_private.h"
#include "engine/visits_inline.h"

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
static void merge(uint32_t probe, const struct procedure *p, const bool *visited, const struct weave *weaves, size_t count, weave_list *all)
{
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
}

/* NULL: probes will do. */
static struct visits_inline *count_inline(const struct image *im, const struct loaded *l, const struct procedure *p, const bool *visited, uint32_t probe)
{
	uint64_t tally = im->base + GUEST_SHARED_OFFSET + offsetof(struct guest_shared, tally) + probe * sizeof(struct guest_tally) + offsetof(struct guest_tally, runs);
	if (!visits_inline_needed(p))
		return NULL;
	return visits_inline_new(p, visited, im->visits != VISITS_INSTRUCTIONS, tally, !zone_reaches(l->zone, tally, tally + sizeof(uint64_t)));
}

static void tell_resume_addresses(uint32_t probe, const weave_list *all, struct weave *weaves)
{
	size_t next = 0;
	for (size_t i = 0; i < all->count; i++)
		if (all->at[i].place == WEAVE_DETOUR || all->at[i].probe != probe)
			weaves[next++].resume_address = all->at[i].resume_address;
}

static int emit_with_probes(struct loaded *l, const struct procedure *p, const bool *visited, uint32_t probe, struct weave *weaves, size_t count,
			    const struct inline_weaver *const *inlined, size_t inlined_count, struct copy **out)
{
	weave_list all = {0};
	merge(probe, p, visited, weaves, count, &all);
	int status = copy_emit(p, l->bias, l->zone, all.at, all.count, inlined, inlined_count, out);
	if (!status)
		tell_resume_addresses(probe, &all, weaves);
	vec_free(&all);
	return status;
}

static size_t inlined_into(const struct loaded *l, bool sparing, const struct inline_weaver **out)
{
	size_t count = 0;
	for (size_t i = 0; i < l->inlined_count; i++)
		if (!sparing || !l->inlined[i]->yields)
			out[count++] = l->inlined[i];
	return count;
}

int image_emit_copy_again(struct loaded *l, const struct procedure *p, uint64_t code, struct copy **out)
{
	const struct inline_weaver *inlined[INLINE_WEAVERS_MAX];
	int status = copy_emit_again(p, l->bias, l->zone, code, inlined, inlined_into(l, false, inlined), out);
	return status && l->inlined_count ? copy_emit_again(p, l->bias, l->zone, code, inlined, inlined_into(l, true, inlined), out) : status;
}

int image_emit_copy(struct image *im, struct loaded *l, const struct procedure *p, struct weave *weaves, size_t count, bool sparing, struct copy **out)
{
	const struct inline_weaver *inlined[INLINE_WEAVERS_MAX + 1];
	size_t inlined_count = inlined_into(l, sparing, inlined);
	if (l->module->is_lost)
		return -EIO;
	for (size_t i = 0; i < count; i++)
		if (weaves[i].place != WEAVE_DETOUR)
			weaves[i].probe = image_probe_id(im, weaves[i].probe);
	uint32_t probe = im->visits ? visit_probe(im, l, p) : 0;
	bool *visited = probe ? visited_insns(im, p) : NULL;
	struct visits_inline *counting = probe ? count_inline(im, l, p, visited, probe) : NULL;
	if (counting)
		inlined[inlined_count++] = visits_inline_weaver(counting);
	int status = probe && !counting ? emit_with_probes(l, p, visited, image_probe_id(im, probe), weaves, count, inlined, inlined_count, out) :
					  copy_emit(p, l->bias, l->zone, weaves, count, inlined, inlined_count, out);
	visits_inline_free(counting);
	free(visited);
	return status;
}
