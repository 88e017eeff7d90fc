#include "engine/weave_inline.h"

#include <stdlib.h>

#include "base/vec.h"

struct piece {
	size_t insn, at;  /* offset of the branch's displacement in the copy */
	uint32_t data;
	uint8_t weaver;
};

struct inline_weaving {
	const struct inline_weaver *weaver[INLINE_WEAVERS_MAX];
	size_t count, at_work;
	struct inline_code code;
	struct effects *effects;
	struct live *live;
	uint8_t *marks;
	VEC(struct piece) pieces;
};

struct inline_weaving *inline_begin(const struct procedure *p, const struct inline_weaver *const *weavers, size_t count, struct emitter *e)
{
	if (!count)
		return NULL;
	struct inline_weaving *w = calloc(1, sizeof *w);
	if (!w || !(w->marks = calloc(p->insn_count + 1, 1)))
		abort();
	w->effects = liveness_effects(p);
	w->live = liveness_of(p, w->effects);
	w->code = (struct inline_code){p, w->effects, w->live, 0, e, w};
	for (size_t i = 0; i < count && i < INLINE_WEAVERS_MAX; i++) {
		w->weaver[w->count++] = weavers[i];
		weavers[i]->plan(weavers[i], &w->code, w->marks, 1u << i);
	}
	return w;
}

void inline_end(struct inline_weaving *w)
{
	if (!w)
		return;
	vec_free(&w->pieces);
	free(w->effects);
	free(w->live);
	free(w->marks);
	free(w);
}

void inline_restart(struct inline_weaving *w)
{
	if (w)
		w->pieces.count = 0;
}

size_t inline_room(const struct inline_weaving *w)
{
	size_t bytes = 0;
	for (size_t i = 0; w && i < w->code.procedure->insn_count; i++)
		for (size_t k = 0; k < w->count; k++)
			bytes += w->marks[i] & 1u << k ? w->weaver[k]->room : 0;
	return bytes;
}

bool inline_is_woven(const struct inline_weaving *w, size_t insn)
{
	return w && w->marks[insn];
}

void inline_emit(struct inline_weaving *w, size_t insn, bool first)
{
	for (size_t k = 0; w && w->marks[insn] && k < w->count; k++) {
		if (!(w->marks[insn] & 1u << k) || w->weaver[k]->is_first != first)
			continue;
		w->code.insn = insn;
		w->at_work = k;
		w->weaver[k]->hot(w->weaver[k], &w->code);
	}
}

void inline_branch_cold(struct inline_code *c, uint8_t condition, uint32_t data)
{
	struct inline_weaving *w = c->weaving;
	emit_bytes(c->e, (uint8_t[]){0x0f, 0x80 | (condition & 15)}, 2); /* jcc cold */
	vec_push(&w->pieces, (struct piece){c->insn, c->e->used, data, w->at_work});
	emit_u32(c->e, 0);
}

void inline_emit_cold(struct inline_weaving *w, uint32_t (*moved)(void *context, size_t insn), void (*tell)(void *context, uint32_t code, uint32_t insn),
		      void *context)
{
	for (size_t i = 0; w && i < w->pieces.count; i++) {
		const struct piece *p = &w->pieces.at[i];
		struct emitter *e = w->code.e;
		struct inline_cold cold = {p->data, e->address + p->at + 4, e->address + moved(context, p->insn)};
		tell(context, e->used, p->insn);
		emit_patch_displacement(e, p->at, emit_here(e));
		w->code.insn = p->insn;
		w->weaver[p->weaver]->cold(w->weaver[p->weaver], &w->code, &cold);
	}
}
