#include "learn_compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "learn/print.h"

void set_add(void *set, const struct invariant *i)
{
	struct invariant_set *s = set;
	vec_push(s, *i);
}

int set_visit(void *set, const struct invariant *i)
{
	set_add(set, i);
	return 0;
}

void set_release(struct invariant_set *s)
{
	free(s->at);
	*s = (struct invariant_set){0};
}

static int order_variables(const struct variable *v, const struct variable *w)
{
	int order = point_compare(&v->at, &w->at);
	return order ? order : v->slot - w->slot;
}

static int order_invariants(const void *a, const void *b)
{
	const struct invariant *i = a, *j = b;
	int order = i->kind - j->kind;
	order = order ? order : order_variables(&i->a, &j->a);
	return order ? order : order_variables(&i->b, &j->b);
}

static bool same(const struct invariant *i, const struct invariant *j)
{
	return !order_invariants(i, j) && i->procedure == j->procedure && i->a_is_later == j->a_is_later && i->bound == j->bound && i->count == j->count
		&& i->relative == j->relative && !memcmp(i->value, j->value, i->count * sizeof *i->value);
}

static void show(const char *who, const struct invariant_set *s, size_t n)
{
	char text[512] = "(no more)";
	if (n < s->count)
		print_invariant(&s->at[n], "m", text, sizeof text);
	fprintf(stderr, "%s: %s, %lu samples\n", who, text, n < s->count ? (unsigned long)s->at[n].samples : 0);
}

bool set_equal(struct invariant_set *a, struct invariant_set *b, bool samples)
{
	if (a->count)
		qsort(a->at, a->count, sizeof *a->at, order_invariants);
	if (b->count)
		qsort(b->at, b->count, sizeof *b->at, order_invariants);
	size_t n = 0;
	while (n < a->count && n < b->count && same(&a->at[n], &b->at[n]) && (!samples || a->at[n].samples == b->at[n].samples))
		n++;
	if (n == a->count && n == b->count)
		return true;
	fprintf(stderr, "%zu and %zu invariants; number %zu differs:\n", a->count, b->count, n);
	show("first", a, n);
	show("second", b, n);
	return false;
}

size_t set_count(const struct invariant_set *s, enum invariant_kind kind)
{
	size_t n = 0;
	for (size_t i = 0; i < s->count; i++)
		n += s->at[i].kind == kind;
	return n;
}
