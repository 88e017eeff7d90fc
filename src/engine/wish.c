/* From what weavers want to which procedures are redirected, with which probes. */
#include <errno.h>
#include <stdlib.h>

#include "engine/image.h"
#include "engine/image_private.h"

void image_rewish(struct image *im, struct loaded *l, uint64_t procedure)
{
	for (size_t i = 0; i < im->dirty.count; i++)
		if (im->dirty.at[i].loaded == l && im->dirty.at[i].procedure == procedure)
			return;
	vec_push(&im->dirty, (struct wish_dirty){l, procedure});
}

/* The entry of the procedure that an offset belongs to: of the redirected one that owns it, else as decoding finds it. */
static int procedure_of(struct loaded *l, uint64_t offset, uint64_t *entry)
{
	struct redirected *r = image_redirected(l, offset);
	struct procedure *p;
	if (r) {
		*entry = r->procedure->entry;
		return 0;
	}
	int status = procedure_decode(l->module, offset, &p);
	if (!status)
		*entry = p->entry;
	if (!status)
		procedure_free(p);
	return status;
}

int image_wish(struct image *im, struct loaded *l, const struct weave *w, uint32_t owner)
{
	struct wish wish = {l, 0, *w, owner};
	int status = procedure_of(l, w->offset, &wish.procedure);
	if (status)
		return status;
	vec_push(&im->wishes, wish);
	image_rewish(im, l, wish.procedure);
	return 0;
}

void image_unwish(struct image *im, uint32_t owner)
{
	size_t kept = 0;
	for (size_t i = 0; i < im->wishes.count; i++) {
		if (im->wishes.at[i].owner == owner)
			image_rewish(im, im->wishes.at[i].loaded, im->wishes.at[i].procedure);
		else
			im->wishes.at[kept++] = im->wishes.at[i];
	}
	im->wishes.count = kept;
}

void image_forget_wishes(struct image *im, struct loaded *l)
{
	size_t kept = 0;
	for (size_t i = 0; i < im->wishes.count; i++)
		if (im->wishes.at[i].loaded != l)
			im->wishes.at[kept++] = im->wishes.at[i];
	im->wishes.count = kept;
	kept = 0;
	for (size_t i = 0; i < im->dirty.count; i++)
		if (im->dirty.at[i].loaded != l)
			im->dirty.at[kept++] = im->dirty.at[i];
	im->dirty.count = kept;
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
		if (weaves[i].resume != RESUME_NONE)
			__atomic_store_n(&image_probe(im, weaves[i].probe)->resume, weaves[i].resume_address, __ATOMIC_RELEASE);
}

static int weave_procedure(struct image *im, struct loaded *l, uint64_t procedure)
{
	VEC(struct weave) weaves = {0};
	for (size_t i = 0; i < im->wishes.count; i++)
		if (im->wishes.at[i].loaded == l && im->wishes.at[i].procedure == procedure)
			vec_push(&weaves, im->wishes.at[i].weave);
	struct redirected *r = image_redirected(l, procedure);
	int status = 0;
	if (weaves.count || (r && (im->redirect_all || r->extra.count))) {
		qsort(weaves.at, weaves.count, sizeof *weaves.at, order_weaves);
		status = image_redirect(im, l, procedure, weaves.at, weaves.count);
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
		struct wish_dirty d = im->dirty.at[--im->dirty.count];
		refused += weave_procedure(im, d.loaded, d.procedure) != 0;
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
	__atomic_store_n(&l->map[offset + l->bias - l->text.start], to - l->zone->start + 1, __ATOMIC_RELEASE);
	for (size_t i = 0; i < l->in.count; i++) {
		int written = im->access.write(im->access.context, l->in.at[i], offset + l->bias, (uint8_t[]){0xcc}, 1);
		if (written && written != -ESRCH)
			status = written;
	}
	return status;
}
