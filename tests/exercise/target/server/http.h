/* http.h - the part of HTTP/1.1 the server speaks: requests with an optional body of known length,
 * replies with Content-Length, keep-alive. */
#ifndef GAZETTE_HTTP_H
#define GAZETTE_HTTP_H

#include <stddef.h>

#include "buf.h"

#define HTTP_MAX_HEAD 16384
#define HTTP_MAX_BODY (4u << 20)

struct request {
	char method[8];
	char path[256];
	char query[4096];
	char session[64];
	int keep_alive;
	const char *body;
	size_t body_len;
};

/* Parse one request at the start of data. Returns its length, 0 if it is not complete yet, or -1 if
 * it is not a request. req->body points into data. */
long http_parse(const char *data, size_t len, struct request *req);

/* extra: further header lines, each ended by CRLF, or NULL. */
void http_reply(struct buf *out, int status, const char *type, const char *extra,
		const struct buf *body, int keep_alive);

#endif
