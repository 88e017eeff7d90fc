/* cache.h - rendered pages kept for the next visitor. Safe to use from several threads. */
#ifndef GAZETTE_CACHE_H
#define GAZETTE_CACHE_H

#include <time.h>

#include "buf.h"

/* Add the kept page to out if there is one as young as `stamp`. Returns 1 if so. */
int cache_get(const char *name, time_t stamp, struct buf *out);

/* Keep a copy of a page. The page used least recently makes room. */
void cache_put(const char *name, time_t stamp, const struct buf *page);

#endif
