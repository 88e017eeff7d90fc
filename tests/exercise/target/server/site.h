/* site.h - what the server answers: paths and the functions behind them. */
#ifndef GAZETTE_SITE_H
#define GAZETTE_SITE_H

#include "buf.h"
#include "http.h"

struct site_options {
	const char *root;        /* folder of the stored pages, or NULL */
	unsigned gc_objects;     /* script objects before the first collection */
	unsigned gc_growth;      /* collect again at this many percent of what was left */
};

void site_init(const struct site_options *options);

/* Answer one request: the reply is added to out. */
void site_answer(const struct request *req, struct buf *out);

#endif
