#include "cli/table.h"
#include "base/vec.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>

enum { COLUMNS_MAX = 16 };

struct table {
	unsigned columns;
	bool right[COLUMNS_MAX];
	size_t width[COLUMNS_MAX];
	VEC(char *) cells; /* the headings first */
};

static void add(struct table *t, char *text)
{
	unsigned column = t->cells.count % t->columns;
	if (!text)
		abort();
	for (char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	if (strlen(text) > t->width[column])
		t->width[column] = strlen(text);
	vec_push(&t->cells, text);
}

struct table *table_new(const char *headings)
{
	struct table *t = calloc(1, sizeof *t);
	if (!t)
		abort();
	t->columns = 1;
	for (const char *c = headings; *c; c++)
		t->columns += *c == '|' && t->columns < COLUMNS_MAX;
	for (unsigned i = 0; i < t->columns; i++) {
		t->right[i] = *headings == '>';
		headings += t->right[i];
		size_t length = strcspn(headings, "|");
		add(t, strndup(headings, length));
		headings += length + (headings[length] == '|');
	}
	return t;
}

void table_cell(struct table *t, const char *format, ...)
{
	char *text;
	va_list args;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	add(t, text);
}

static void print_cell(const struct table *t, size_t cell)
{
	unsigned column = cell % t->columns;
	const char *text = t->cells.at[cell];
	if (column + 1 == t->columns)
		printf("%s\n", text);
	else
		printf(t->right[column] ? "%*s  " : "%-*s  ", (int)t->width[column], text);
}

void table_print(struct table *t, const char *empty)
{
	if (t->cells.count <= t->columns)
		printf("%s\n", empty);
	else
		for (size_t i = 0; i < t->cells.count; i++)
			print_cell(t, i);
	for (size_t i = 0; i < t->cells.count; i++)
		free(t->cells.at[i]);
	vec_free(&t->cells);
	free(t);
}
