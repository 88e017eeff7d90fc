/* From what weavers want to which procedures are redirected, with which probes. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "engine/image.h"
#include "engine/image_private.h"

static void mark_dirty(struct image *im, struct procedure_wishes *w)
{
	if (!w->dirty)
		vec_push(&im->dirty, w);
	w->dirty = true;
}

static struct procedure_wishes *find(struct loaded *l, uint64_t offset)
{
	size_t range = module_range_index(l->module, offset);
	if (range != SIZE_MAX)
		return l->wished_by_range ? l->wished_by_range[range] : NULL;
	for (size_t i = 0; i < l->wished.count; i++)
		if (l->wished.at[i]->procedure == offset)
			return l->wished.at[i];
	return NULL;
}

static void index_ranges(struct loaded *l, struct procedure_wishes *w, const struct range *ranges, size_t count)
{
	if (!l->wished_by_range)
		l->wished_by_range = calloc(l->module->range_count + 1, sizeof *l->wished_by_range);
	if (!l->wished_by_range)
		abort();
	for (size_t i = 0; i < count; i++) {
		size_t range = module_range_index(l->module, ranges[i].start);
		if (range != SIZE_MAX && !l->wished_by_range[range])
			l->wished_by_range[range] = w;
	}
}

static struct procedure_wishes *make(struct loaded *l, const struct procedure *p)
{
	struct procedure_wishes *w = calloc(1, sizeof *w);
	if (!w)
		abort();
	w->loaded = l;
	w->procedure = p->entry;
	vec_push(&l->wished, w);
	index_ranges(l, w, p->ranges, p->range_count);
	return w;
}

/* The wishes for the procedure that an offset belongs to: of the redirected one that owns it, else as decoding finds it. */
static int wishes_at(struct loaded *l, uint64_t offset, struct procedure_wishes **out)
{
	struct redirected *r = image_redirected(l, offset);
	struct procedure *p;
	*out = find(l, r ? r->procedure->entry : offset);
	if (*out)
		return 0;
	if (r) {
		*out = make(l, r->procedure);
		return 0;
	}
	int status = procedure_get(l->module, offset, &p);
	if (status)
		return status;
	*out = make(l, p);
	procedure_free(p);
	return 0;
}

void image_rewish(struct image *im, struct loaded *l, uint64_t procedure)
{
	struct procedure_wishes *w;
	if (!wishes_at(l, procedure, &w))
		mark_dirty(im, w);
}

void image_weave_again(struct image *im, struct loaded *l, uint64_t offset)
{
	image_rewish(im, l, offset);
}

int image_wish(struct image *im, struct loaded *l, const struct weave *weave, uint32_t owner)
{
	struct procedure_wishes *w;
	int status = wishes_at(l, weave->offset, &w);
	if (status)
		return status;
	vec_push(&w->wishes, (struct wish){*weave, owner});
	mark_dirty(im, w);
	return 0;
}

static void take_back(struct image *im, struct procedure_wishes *w, uint32_t owner)
{
	size_t kept = 0;
	for (size_t i = 0; i < w->wishes.count; i++) {
		if (w->wishes.at[i].owner == owner)
			mark_dirty(im, w);
		else
			w->wishes.at[kept++] = w->wishes.at[i];
	}
	w->wishes.count = kept;
}

bool image_wishes_of(struct loaded *l, uint64_t offset, uint32_t owner)
{
	const struct procedure_wishes *w = find(l, offset);
	for (size_t i = 0; w && i < w->wishes.count; i++)
		if (w->wishes.at[i].owner == owner)
			return true;
	return false;
}

void image_unwish(struct image *im, uint32_t owner)
{
	for (size_t m = 0; m < im->modules.count; m++)
		for (size_t i = 0; i < im->modules.at[m]->wished.count; i++)
			take_back(im, im->modules.at[m]->wished.at[i], owner);
}

void image_unwish_procedure(struct image *im, struct loaded *l, uint64_t offset, uint32_t owner)
{
	struct procedure_wishes *w = find(l, offset);
	if (w)
		take_back(im, w, owner);
}

void image_forget_wishes(struct image *im, struct loaded *l)
{
	size_t kept = 0;
	for (size_t i = 0; i < im->dirty.count; i++)
		if (im->dirty.at[i]->loaded != l)
			im->dirty.at[kept++] = im->dirty.at[i];
	im->dirty.count = kept;
	for (size_t i = 0; i < l->wished.count; i++) {
		vec_free(&l->wished.at[i]->wishes);
		free(l->wished.at[i]);
	}
	vec_free(&l->wished);
	free(l->wished_by_range);
	l->wished_by_range = NULL;
}

static int order_weaves(const void *a, const void *b)
{
	const struct weave *x = a, *y = b;
	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x->probe < y->probe ? -1 : x->probe > y->probe;
}

static void tell_resume_addresses(struct image *im, const struct weave *weaves, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (weaves[i].place == WEAVE_DETOUR)
			__atomic_store_n(&im->tables->original[weaves[i].probe % GUEST_ORIGINALS], weaves[i].resume_address, __ATOMIC_RELEASE);
		else if (weaves[i].resume != RESUME_NONE)
			__atomic_store_n(&image_probe(im, weaves[i].probe)->resume, weaves[i].resume_address, __ATOMIC_RELEASE);
}

static int weave_procedure(struct image *im, const struct procedure_wishes *w)
{
	VEC(struct weave) weaves = {0};
	struct redirected *r = image_redirected(w->loaded, w->procedure);
	int status = 0;
	for (size_t i = 0; i < w->wishes.count; i++)
		vec_push(&weaves, w->wishes.at[i].weave);
	if (weaves.count || (r && im->redirect_all)) {
		if (weaves.count)
			qsort(weaves.at, weaves.count, sizeof *weaves.at, order_weaves);
		status = image_redirect(im, w->loaded, w->procedure, weaves.at, weaves.count);
		if (!status)
			tell_resume_addresses(im, weaves.at, weaves.count);
	} else if (r) {
		image_restore(im, r);
	}
	vec_free(&weaves);
	return status;
}

unsigned image_weave(struct image *im)
{
	unsigned refused = 0;
	while (im->dirty.count) {
		struct procedure_wishes *w = im->dirty.at[--im->dirty.count];
		w->dirty = false;
		refused += weave_procedure(im, w) != 0;
	}
	return refused;
}

void image_add_process(struct image *im, pid_t pid, uint32_t generation)
{
	image_remove_process(im, pid);
	vec_push(&im->processes, (struct image_process){pid, generation});
}

void image_remove_process(struct image *im, pid_t pid)
{
	for (size_t i = 0; i < im->processes.count; i++)
		if (im->processes.at[i].pid == pid)
			im->processes.at[i--] = im->processes.at[--im->processes.count];
	for (size_t m = 0; m < im->modules.count; m++) {
		struct loaded *l = im->modules.at[m];
		for (size_t i = 0; i < l->in.count; i++)
			if (l->in.at[i] == pid)
				l->in.at[i--] = l->in.at[--l->in.count];
	}
}

bool image_process_has(const struct loaded *l, pid_t pid)
{
	for (size_t i = 0; i < l->in.count; i++)
		if (l->in.at[i] == pid)
			return true;
	return false;
}

uint64_t image_blob_stub(struct image *im, struct loaded *l, enum guest_entry entry)
{
	const struct guest_header *header = (const struct guest_header *)im->code_host;
	return l->zone ? emit_stub(l->zone, im->base + header->entry[entry]) : 0;
}

int image_hook(struct image *im, struct loaded *l, uint64_t offset, uint64_t to)
{
	int status = l->zone && zone_holds(l->zone, to) ? 0 : -ERANGE;
	if (!status && !l->map)
		status = image_give_map(im, l);
	if (status)
		return status;
	__atomic_store_n(&l->map[offset + l->bias - l->text.start], (to - l->zone->start + 1) | GUEST_MAP_APPROVED, __ATOMIC_RELEASE);
	for (size_t i = 0; i < l->in.count; i++) {
		int written = im->access.write(im->access.context, l->in.at[i], offset + l->bias, (uint8_t[]){0xcc}, 1);
		if (written && written != -ESRCH)
			status = written;
	}
	return status;
}
