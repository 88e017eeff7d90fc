/* page.h - turn a page's source into what is sent to the visitor. */
#ifndef GAZETTE_PAGE_H
#define GAZETTE_PAGE_H

#include <stddef.h>

#include "buf.h"

#ifdef __cplusplus
extern "C" {
#endif

struct page_limits {
	unsigned gc_objects;    /* script objects before the first collection */
	unsigned gc_growth;     /* collect again at this many percent of what was left */
};

/* Render a page; mistakes in it or in its scripts are reported in the page itself. */
void page_render(const char *source, size_t len, const struct page_limits *limits, struct buf *out);

#ifdef __cplusplus
}
#endif
#endif
