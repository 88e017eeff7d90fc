/* http.c - parse requests and write replies (see http.h). */
#include "http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *find(const char *data, size_t len, const char *what)
{
	return memmem(data, len, what, strlen(what));
}

static int copy_text(char *out, size_t cap, const char *from, const char *to)
{
	size_t n = (size_t)(to - from);

	if (n >= cap)
		return -1;
	memcpy(out, from, n);
	out[n] = '\0';
	return 0;
}

/* "POST /path?query HTTP/1.1" */
static int parse_first_line(const char *line, const char *end, struct request *req)
{
	const char *target = memchr(line, ' ', (size_t)(end - line));
	const char *version, *mark;

	if (target == NULL || copy_text(req->method, sizeof req->method, line, target) < 0)
		return -1;
	target++;
	version = memchr(target, ' ', (size_t)(end - target));
	if (version == NULL || strncmp(version, " HTTP/1.", 8) != 0)
		return -1;
	mark = memchr(target, '?', (size_t)(version - target));
	req->query[0] = '\0';
	if (mark != NULL && copy_text(req->query, sizeof req->query, mark + 1, version) < 0)
		return -1;
	req->keep_alive = end - version >= 9 && version[8] == '1';
	return copy_text(req->path, sizeof req->path, target, mark ? mark : version);
}

static void parse_cookie(const char *value, const char *end, struct request *req)
{
	const char *sid = find(value, (size_t)(end - value), "sid=");
	const char *stop;

	if (sid == NULL)
		return;
	sid += 4;
	stop = memchr(sid, ';', (size_t)(end - sid));
	copy_text(req->session, sizeof req->session, sid, stop ? stop : end);
}

static int parse_field(const char *line, const char *end, struct request *req)
{
	const char *colon = memchr(line, ':', (size_t)(end - line));
	const char *value;
	size_t name;

	if (colon == NULL)
		return -1;
	name = (size_t)(colon - line);
	for (value = colon + 1; value < end && *value == ' '; value++)
		;
	if (name == 14 && strncasecmp(line, "Content-Length", name) == 0)
		req->body_len = strtoul(value, NULL, 10);
	else if (name == 6 && strncasecmp(line, "Cookie", name) == 0)
		parse_cookie(value, end, req);
	else if (name == 10 && strncasecmp(line, "Connection", name) == 0)
		req->keep_alive = end - value >= 5 && strncasecmp(value, "close", 5) != 0;
	return req->body_len > HTTP_MAX_BODY ? -1 : 0;
}

long http_parse(const char *data, size_t len, struct request *req)
{
	const char *head_end = len ? find(data, len, "\r\n\r\n") : NULL;
	const char *line, *end;
	size_t head;

	if (head_end == NULL)
		return len > HTTP_MAX_HEAD ? -1 : 0;
	memset(req, 0, offsetof(struct request, query));
	req->session[0] = '\0';
	req->body_len = 0;
	line = data;
	end = find(line, (size_t)(head_end + 2 - line), "\r\n");
	if (parse_first_line(line, end, req) < 0)
		return -1;
	for (line = end + 2; line < head_end; line = end + 2) {
		end = find(line, (size_t)(head_end + 2 - line), "\r\n");
		if (parse_field(line, end, req) < 0)
			return -1;
	}
	head = (size_t)(head_end + 4 - data);
	if (len - head < req->body_len)
		return 0;
	req->body = data + head;
	return (long)(head + req->body_len);
}

static const char *reason(int status)
{
	switch (status) {
	case 200: return "OK";
	case 400: return "Bad Request";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	default: return "Error";
	}
}

void http_reply(struct buf *out, int status, const char *type, const char *extra,
		const struct buf *body, int keep_alive)
{
	buf_fmt(out, "HTTP/1.1 %d %s\r\nServer: gazette\r\nContent-Type: %s\r\nContent-Length: %zu\r\n",
		status, reason(status), type, body->len);
	buf_str(out, keep_alive ? "Connection: keep-alive\r\n" : "Connection: close\r\n");
	if (extra != NULL)
		buf_str(out, extra);
	buf_str(out, "\r\n");
	buf_add(out, body->data, body->len);
}
