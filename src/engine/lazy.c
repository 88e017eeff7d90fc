/* Redirecting text when it is first wanted. A module's text is divided into pieces of whole pages, at least a page and at most so many pieces that the kernel's list
 * of mappings stays short, for each piece that was fetched is a mapping of its own. */
#include <stdlib.h>

#include "engine/image_private.h"

enum { PAGE = 4096, PIECES_MAX = 8192 };

static uint64_t page_down(uint64_t at)
{
	return at & ~(PAGE - 1ul);
}

static uint64_t page_up(uint64_t at)
{
	return page_down(at + PAGE - 1);
}

static uint64_t piece_size(const struct loaded *l)
{
	uint64_t size = PAGE;
	while ((l->text.end - l->text.start) / size >= PIECES_MAX)
		size *= 2;
	return size;
}

bool image_make_lazy(struct image *im, struct loaded *l)
{
	l->lazy = l->zone && module_has_one_text(l->module) && (l->map || !image_give_map(im, l));
	return l->lazy;
}

static bool is_sealed(const struct loaded *l, pid_t pid)
{
	for (size_t i = 0; i < l->sealed.count; i++)
		if (l->sealed.at[i] == pid)
			return true;
	return false;
}

/* Numbers of processes are used again: those that have the module no more don't count. */
static void forget_ended(struct loaded *l)
{
	for (size_t i = 0; i < l->sealed.count; i++)
		if (!image_process_has(l, l->sealed.at[i]))
			l->sealed.at[i--] = l->sealed.at[--l->sealed.count];
}

bool image_next_seal(struct image *im, pid_t pid, struct range *pages)
{
	for (size_t m = 0; m < im->modules.count; m++) {
		struct loaded *l = im->modules.at[m];
		forget_ended(l);
		if (!l->lazy || !image_process_has(l, pid) || is_sealed(l, pid))
			continue;
		vec_push(&l->sealed, pid);
		*pages = (struct range){page_down(l->text.start), page_up(l->text.end)};
		return true;
	}
	return false;
}

void image_inherit_seals(struct image *im, pid_t parent, pid_t child)
{
	for (size_t m = 0; m < im->modules.count; m++)
		if (is_sealed(im->modules.at[m], parent))
			vec_push(&im->modules.at[m]->sealed, child);
}

static void redirect_piece(struct image *im, struct loaded *l, struct range offsets, uint64_t except)
{
	const struct module *m = l->module;
	for (size_t i = module_range_after(m, offsets.start); i < m->range_count && m->ranges[i].start < offsets.end; i++) {
		bool excepted = except && except >= m->ranges[i].start && except < m->ranges[i].end;
		if (excepted || image_redirected(l, m->ranges[i].start))
			continue;
		int status = image_redirect(im, l, m->ranges[i].start, NULL, 0);
		(void)status; /* counted: it stays native */
	}
}

/* In a process that mapped the module later than others, its text is the file's still. */
static void bring_up_to_date(struct image *im, struct loaded *l, pid_t pid, struct range offsets)
{
	struct redirected *last = NULL;
	for (size_t i = module_range_after(l->module, offsets.start); i < l->module->range_count && l->module->ranges[i].start < offsets.end; i++) {
		struct redirected *r = image_redirected(l, l->module->ranges[i].start);
		if (r && r != last)
			image_write_present(im, pid, r);
		last = r;
	}
}

bool image_fetch(struct image *im, pid_t pid, uint64_t address, uint64_t except, struct range *pages)
{
	struct loaded *l = image_module_at(im, address);
	if (!l || !l->lazy)
		return false;
	uint64_t size = piece_size(l), first = page_down(l->text.start), end = page_up(l->text.end), n = (address - first) / size;
	*pages = (struct range){first + n * size, first + (n + 1) * size};
	if (pages->end > end)
		pages->end = end;
	if (!l->fetched)
		l->fetched = calloc(PIECES_MAX + 1, 1);
	if (!l->fetched)
		abort();
	struct range offsets = {pages->start - l->bias, pages->end - l->bias};
	if (l->fetched[n]) {
		bring_up_to_date(im, l, pid, offsets);
		return true;
	}
	size_t known = l->redirected.count;
	redirect_piece(im, l, offsets, except);
	image_commit_new(im, l, known);
	l->fetched[n] = true;
	return true;
}
