/* site.c - what the server answers.
 *
 *   GET  /pages/NAME     a stored page, rendered
 *   POST /preview        the page in the body, rendered
 *   POST /picture        what the picture in the body is and holds
 *   GET  /address?u=...  an address taken apart
 *   ...  /session/...    see session.c
 *   GET  /status         processes, for the operator */
#include "site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"
#include "host.h"
#include "page.h"
#include "picture.h"
#include "session.h"
#include "url.h"
#include "workers.h"

struct route {
	const char *method, *path;
	int prefix;
	const char *type;
	int (*answer)(const struct request *req, struct buf *body);
};

static struct site_options site;

void site_init(const struct site_options *options)
{
	site = *options;
}

static void render(const char *source, size_t len, struct buf *body)
{
	struct page_limits limits = { site.gc_objects, site.gc_growth };

	page_render(source, len, &limits, body);
}

static int preview(const struct request *req, struct buf *body)
{
	render(req->body, req->body_len, body);
	return 200;
}

static int plain_name(const char *name)
{
	return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

static int read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	char part[4096];
	size_t n;

	if (f == NULL)
		return -1;
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		buf_add(out, part, n);
	fclose(f);
	return 0;
}

static int stored_page(const struct request *req, struct buf *body)
{
	const char *name = req->path + strlen("/pages/");
	struct buf source = { 0 };
	char path[512];
	struct stat st;

	if (site.root == NULL || !plain_name(name))
		return 404;
	snprintf(path, sizeof path, "%s/%s.page", site.root, name);
	if (stat(path, &st) < 0)
		return 404;
	if (cache_get(name, st.st_mtime, body))
		return 200;
	if (read_file(path, &source) < 0)
		return 404;
	render(source.data ? source.data : "", source.len, body);
	cache_put(name, st.st_mtime, body);
	buf_free(&source);
	return 200;
}

static void print_part(void *ctx, const char *text, size_t len)
{
	buf_add(ctx, text, len);
}

static int picture(const struct request *req, struct buf *body)
{
	if (picture_describe((const unsigned char *)req->body, req->body_len, print_part, body) < 0)
		return 400;
	return 200;
}

static int address(const struct request *req, struct buf *body)
{
	char text[HTTP_MAX_HEAD];
	struct url url;
	char *host;

	if (url_field(req->query, "u", text, sizeof text) < 0 || url_split(text, &url) < 0)
		return 400;
	host = host_normalise(url.host);
	if (host == NULL)
		return 400;
	buf_fmt(body, "scheme %s\nhost %s\nport %d\npath %s\n", url.scheme, host, url.port, url.path);
	free(host);
	return 200;
}

static int status(const struct request *req, struct buf *body)
{
	(void)req;
	buf_fmt(body, "pid %d\n", (int)getpid());
	workers_list(body);
	return 200;
}

static const struct route routes[] = {
	{ "GET",  "/pages/",  1, "text/html",  stored_page },
	{ "POST", "/preview", 0, "text/html",  preview },
	{ "POST", "/picture", 0, "text/plain", picture },
	{ "GET",  "/address", 0, "text/plain", address },
	{ "GET",  "/status",  0, "text/plain", status },
};

static const struct route *route_of(const struct request *req)
{
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		const struct route *r = &routes[i];

		if (r->prefix ? strncmp(req->path, r->path, strlen(r->path)) == 0
			      : strcmp(req->path, r->path) == 0)
			return r;
	}
	return NULL;
}

static void answer_session(const struct request *req, struct buf *out)
{
	struct buf body = { 0 };
	char cookie[96] = "", field[128] = "";
	int code = session_request(req, &body, cookie, sizeof cookie);

	if (*cookie)
		snprintf(field, sizeof field, "Set-Cookie: %s\r\n", cookie);
	if (code != 200)
		buf_fmt(&body, "error %d\n", code);
	http_reply(out, code, "text/plain", field, &body, req->keep_alive);
	buf_free(&body);
}

void site_answer(const struct request *req, struct buf *out)
{
	const struct route *route = route_of(req);
	struct buf body = { 0 };
	int code;

	if (strncmp(req->path, "/session/", 9) == 0) {
		answer_session(req, out);
		return;
	}
	if (route == NULL)
		code = 404;
	else if (strcmp(route->method, req->method) != 0)
		code = 405;
	else
		code = route->answer(req, &body);
	if (code != 200) {
		body.len = 0;
		buf_fmt(&body, "error %d\n", code);
	}
	http_reply(out, code, code == 200 ? route->type : "text/plain", NULL, &body, req->keep_alive);
	buf_free(&body);
}
