/* filter.c - undoing the filters of PIX rows (see filter.h). */
#include "filter.h"

#include <stdlib.h>
#include <string.h>

static void undo_none(const struct filter *f, unsigned char *row)
{
	(void)f;
	(void)row;
}

static void undo_left(const struct filter *f, unsigned char *row)
{
	for (size_t i = f->step; i < f->row_bytes; i++)
		row[i] = (unsigned char)(row[i] + row[i - f->step]);
}

static void undo_above(const struct filter *f, unsigned char *row)
{
	for (size_t i = 0; i < f->row_bytes; i++)
		row[i] = (unsigned char)(row[i] + f->above[i]);
}

struct filter *filter_new(unsigned kind, size_t row_bytes, unsigned step)
{
	static void (*const kinds[])(const struct filter *, unsigned char *) = {
		undo_none, undo_left, undo_above,
	};
	struct filter *f;

	if (kind >= sizeof kinds / sizeof *kinds)
		return NULL;
	f = calloc(1, sizeof *f + row_bytes);
	if (f == NULL)
		return NULL;
	f->undo = kinds[kind];
	f->row_bytes = row_bytes;
	f->step = step;
	return f;
}

void filter_row(struct filter *f, unsigned char *row)
{
	f->undo(f, row);
	memcpy(f->above, row, f->row_bytes);
}
