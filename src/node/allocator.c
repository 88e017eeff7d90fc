#include "node/allocator.h"

#include "base/vec.h"
#include "node/procedures.h"

enum { NEAR = 0x10000 };

/* Without all of the first three there is no allocator. */
static const char *const names[] = {"malloc", "free", "realloc", "calloc", "memalign", "aligned_alloc", "posix_memalign", "valloc", "pvalloc",
				    "malloc_usable_size", "malloc_trim", "mallopt"};
enum { REQUIRED = 3, NAMES = sizeof names / sizeof *names };

typedef VEC(uint64_t) offset_list;

static void add(offset_list *list, uint64_t offset)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->at[i] == offset)
			return;
	vec_push(list, offset);
}

static void add_callees(struct module *m, uint64_t procedure, const struct range *near, offset_list *list)
{
	const struct procedure *p = procedures_get(m, procedure);
	for (size_t i = 0; p && i < p->insn_count; i++)
		if (p->insns[i].flow == FLOW_CALL && p->insns[i].target >= near->start && p->insns[i].target < near->end)
			add(list, p->insns[i].target);
	for (size_t i = 0; p && i < p->exit_count; i++)
		if (p->exits[i] >= near->start && p->exits[i] < near->end)
			add(list, p->exits[i]);
}

static struct range span(struct module *m, const offset_list *list)
{
	struct range all = {UINT64_MAX, 0};
	for (size_t i = 0; i < list->count; i++) {
		struct range r;
		uint64_t end = module_range(m, list->at[i], &r) ? r.end : list->at[i] + 1;
		if (list->at[i] < all.start)
			all.start = list->at[i];
		if (end > all.end)
			all.end = end;
	}
	return list->count ? all : (struct range){0, 0};
}

struct range allocator_procedures(struct module *m)
{
	offset_list list = {0};
	uint64_t offset;
	bool found = true;
	for (int i = 0; i < NAMES && found; i++) {
		if (module_symbol(m, names[i], &offset))
			add(&list, offset);
		else
			found = i >= REQUIRED;
	}
	struct range near = span(m, &list);
	near.start = near.start > NEAR ? near.start - NEAR : 0;
	near.end += NEAR;
	for (size_t i = 0; found && i < list.count; i++)
		add_callees(m, list.at[i], &near, &list);
	struct range all = found ? span(m, &list) : (struct range){0, 0};
	vec_free(&list);
	return all;
}
