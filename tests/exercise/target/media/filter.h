/* filter.h - undoing the filters of PIX rows. */
#ifndef LIBPICTURE_FILTER_H
#define LIBPICTURE_FILTER_H

#include <stddef.h>

struct filter {
	void (*undo)(const struct filter *f, unsigned char *row);
	size_t row_bytes;
	unsigned step;              /* bytes of one pixel */
	unsigned char above[];      /* the row before, all zeros at first */
};

/* Returns a filter for rows of so many bytes, to be freed, or NULL for an unknown kind. */
struct filter *filter_new(unsigned kind, size_t row_bytes, unsigned step);

/* Undo the filter of one row, in order from the top. */
void filter_row(struct filter *f, unsigned char *row);

#endif
