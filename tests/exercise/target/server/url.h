/* url.h - taking addresses apart. */
#ifndef GAZETTE_URL_H
#define GAZETTE_URL_H

#include <stddef.h>

#define URL_MAX_HOST 2048
#define URL_MAX_PATH 1024

#ifdef __cplusplus
extern "C" {
#endif

struct url {
	char scheme[16];          /* lower case */
	char host[URL_MAX_HOST];  /* as written, lower case */
	int port;                 /* the scheme's own if none is given */
	char path[URL_MAX_PATH];  /* with query and fragment, at least "/" */
};

/* Split an absolute address, "http://host:port/path". Returns 0, or -1 if it is not one. */
int url_split(const char *text, struct url *url);

/* The port used when an address names none; 0 for a scheme we don't know. */
int url_default_port(const char *scheme);

/* Undo percent-escapes and plus signs in place. Returns the new length. */
size_t url_unescape(char *text);

/* Find a field of a query string ("a=1&b=2") and undo its escapes. Returns its length or -1. */
long url_field(const char *query, const char *name, char *out, size_t cap);

#ifdef __cplusplus
}
#endif
#endif
