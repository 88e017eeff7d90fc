#include "cli/table.h"
#include "base/vec.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>

enum { COLUMNS_MAX = 16 };

struct table {
	unsigned columns, indent;
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
	t->indent = strspn(headings, " ");
	headings += t->indent;
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

/* How many cells of the row to print: nothing is padded at its end. */
static unsigned used_columns(const struct table *t, char *const *row)
{
	unsigned used = t->columns;
	while (used && !*row[used - 1])
		used--;
	return used;
}

static void print_row(const struct table *t, char *const *row)
{
	unsigned used = used_columns(t, row);
	printf("%*s", t->indent, "");
	for (unsigned i = 0; i < used; i++) {
		int width = t->right[i] ? (int)t->width[i] : i + 1 < used ? -(int)t->width[i] : 0;
		printf("%*s%s", width, row[i], i + 1 < used ? "  " : "");
	}
	putchar('\n');
}

void table_print(struct table *t, const char *empty)
{
	if (t->cells.count <= t->columns)
		printf("%*s%s\n", t->indent, "", empty);
	else
		for (size_t i = 0; i < t->cells.count; i += t->columns)
			print_row(t, t->cells.at + i);
	for (size_t i = 0; i < t->cells.count; i++)
		free(t->cells.at[i]);
	vec_free(&t->cells);
	free(t);
}
