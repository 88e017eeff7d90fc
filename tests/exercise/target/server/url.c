/* url.c - taking addresses apart (see url.h). */
#include "url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int url_default_port(const char *scheme)
{
	static const struct { const char *scheme; int port; } ports[] = {
		{ "http", 80 }, { "https", 443 }, { "ftp", 21 }, { "gopher", 70 },
	};

	for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
		if (strcmp(ports[i].scheme, scheme) == 0)
			return ports[i].port;
	return 0;
}

static int copy_lower(char *out, size_t cap, const char *from, size_t len)
{
	if (len == 0 || len >= cap)
		return -1;
	for (size_t i = 0; i < len; i++)
		out[i] = from[i] >= 'A' && from[i] <= 'Z' ? (char)(from[i] + 32) : from[i];
	out[len] = '\0';
	return 0;
}

/* ":8080" up to the path; returns the port or -1 */
static int parse_port(const char *text, size_t len)
{
	int port = 0;

	if (len == 0 || len > 5)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -1;
		port = port * 10 + (text[i] - '0');
	}
	return port > 65535 ? -1 : port;
}

int url_split(const char *text, struct url *url)
{
	const char *sep = strstr(text, "://");
	const char *host, *path, *colon;

	if (sep == NULL || copy_lower(url->scheme, sizeof url->scheme, text, (size_t)(sep - text)) < 0)
		return -1;
	url->port = url_default_port(url->scheme);
	host = sep + 3;
	path = host + strcspn(host, "/?#");
	colon = memchr(host, ':', (size_t)(path - host));
	if (colon != NULL) {
		url->port = parse_port(colon + 1, (size_t)(path - colon - 1));
		if (url->port < 0)
			return -1;
	}
	if (copy_lower(url->host, sizeof url->host, host, (size_t)((colon ? colon : path) - host)) < 0)
		return -1;
	if (strlen(path) + 2 > sizeof url->path)
		return -1;
	strcpy(url->path, *path == '/' ? "" : "/");
	strcat(url->path, path);
	return 0;
}

static int hex(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t url_unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from == '%' && hex(from[1]) >= 0 && hex(from[2]) >= 0) {
			*to++ = (char)(hex(from[1]) * 16 + hex(from[2]));
			from += 2;
		} else {
			*to++ = *from == '+' ? ' ' : *from;
		}
	}
	*to = '\0';
	return (size_t)(to - text);
}

long url_field(const char *query, const char *name, char *out, size_t cap)
{
	size_t want = strlen(name);

	while (*query) {
		size_t len = strcspn(query, "&");

		if (len > want && query[want] == '=' && memcmp(query, name, want) == 0) {
			len -= want + 1;
			if (len >= cap)
				return -1;
			memcpy(out, query + want + 1, len);
			out[len] = '\0';
			return (long)url_unescape(out);
		}
		query += len;
		if (*query == '&')
			query++;
	}
	return -1;
}
