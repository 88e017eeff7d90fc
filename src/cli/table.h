/* Rows with aligned columns. A heading that starts with '>' makes its column right-aligned. Spaces before the first one
 * indent the whole table. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdio.h>

struct table;

/* "ID|>SEEN|WHERE" */
struct table *table_new(const char *headings);
/* The next cell, row by row; what cannot be shown on a terminal becomes '?'. */
void table_cell(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints `empty` instead when there are no rows. Frees it. */
void table_print(struct table *t, const char *empty);

#endif
