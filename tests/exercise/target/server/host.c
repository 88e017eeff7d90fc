/* host.c - write host names in plain form.
 *
 * Names arrive as people type or paste them: with percent-escapes, with full-width letters from an
 * input method, with ligatures a word processor put in. Two spellings of one host have to meet in the
 * same cache entry and the same list of links, so all are brought to one plain form here. The table
 * follows the Unicode compatibility decompositions and the usual transliterations. */
#include "host.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct expansion {
	uint32_t code;
	const char *plain;
};

static const struct expansion expansions[] = {
	{ 0x00ad, "" },       /* soft hyphen */
	{ 0x00b2, "2" },      { 0x00b3, "3" },      { 0x00b9, "1" },
	{ 0x00df, "ss" },     { 0x00e4, "ae" },     { 0x00e6, "ae" },
	{ 0x00f6, "oe" },     { 0x00fc, "ue" },     { 0x00fe, "th" },
	{ 0x0133, "ij" },     { 0x0153, "oe" },     { 0x017f, "s" },
	{ 0x200b, "" },       { 0x2026, "..." },    { 0x2116, "no" },
	{ 0x2121, "tel" },    { 0x213b, "fax" },    { 0x2469, "10" },
	{ 0x246a, "11" },     { 0x246b, "12" },     { 0x3002, "." },
	{ 0x3314, "kiro" },   { 0x3315, "kiroguramu" }, { 0x3316, "kiromeetoru" },
	{ 0x3322, "senchi" }, { 0x3327, "ton" },    { 0x3336, "hekutaaru" },
	{ 0x337f, "kabushikigaisha" },              { 0x338f, "kg" },
	{ 0x339c, "mm" },     { 0x339d, "cm" },     { 0x339e, "km" },
	{ 0x33c2, "am" },     { 0x33c4, "cc" },     { 0x33d8, "pm" },
	{ 0xfb00, "ff" },     { 0xfb01, "fi" },     { 0xfb02, "fl" },
	{ 0xfb03, "ffi" },    { 0xfb04, "ffl" },    { 0xfb06, "st" },
	{ 0xfdfa, "sallallahu-alayhi-wasallam" },   { 0xfdfb, "jalla-jalaluhu" },
};

static const char *expand(uint32_t code)
{
	size_t low = 0, high = sizeof expansions / sizeof *expansions;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (expansions[mid].code == code)
			return expansions[mid].plain;
		if (expansions[mid].code < code)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* Decode one UTF-8 character of two or three bytes. Returns its length, or 0 if there is none. */
static int decode_utf8(const unsigned char *s, uint32_t *code)
{
	if ((s[0] & 0xe0) == 0xc0 && (s[1] & 0xc0) == 0x80) {
		*code = (uint32_t)(s[0] & 0x1f) << 6 | (s[1] & 0x3f);
		return 2;
	}
	if ((s[0] & 0xf0) == 0xe0 && (s[1] & 0xc0) == 0x80 && (s[2] & 0xc0) == 0x80) {
		*code = (uint32_t)(s[0] & 0x0f) << 12 | (uint32_t)(s[1] & 0x3f) << 6 | (s[2] & 0x3f);
		return 3;
	}
	return 0;
}

/* Full-width letters, digits and signs stand for the ASCII ones, in the same order. */
static char full_width(uint32_t code)
{
	return code >= 0xff01 && code <= 0xff5e ? (char)(code - 0xff01 + '!') : '\0';
}

/* Returns the end of what was written. */
static char *write_wide(char *to, const unsigned char *from, int len, uint32_t code)
{
	const char *plain = len ? expand(code) : NULL;

	if (plain != NULL) {
		size_t n = strlen(plain);

		memcpy(to, plain, n);
		return to + n;
	}
	if (len && full_width(code)) {
		*to = full_width(code);
		return to + 1;
	}
	for (int i = 0; i < (len ? len : 1); i++)
		to += sprintf(to, "%%%02x", from[i]);
	return to;
}

static int hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undo escapes in place. Returns -1 for one that is malformed or a control character. */
static int undo_escapes(unsigned char *name)
{
	unsigned char *to = name;

	for (const unsigned char *from = name; *from; from++) {
		int c = *from;

		if (c == '%') {
			int high = hex_digit(from[1]);
			int low = high < 0 ? -1 : hex_digit(from[2]);

			if (low < 0)
				return -1;
			c = high * 16 + low;
			from += 2;
		}
		if (c <= ' ' || c == 0x7f)
			return -1;
		*to++ = (unsigned char)c;
	}
	*to = '\0';
	return 0;
}

char *host_normalise(const char *raw)
{
	size_t len = strlen(raw);
	unsigned char *name = (unsigned char *)strdup(raw);
	const unsigned char *from = name;
	char *plain = NULL, *to;

	if (name == NULL || undo_escapes(name) < 0)
		goto out;
	plain = malloc(len * 3 + 1); /* at worst every byte is written as %XX */
	if (plain == NULL)
		goto out;
	to = plain;
	while (*from) {
		uint32_t code = 0;
		int n;

		if (*from < 0x80) {
			*to++ = (char)*from++;
			continue;
		}
		n = decode_utf8(from, &code);
		to = write_wide(to, from, n, code);
		from += n ? n : 1;
	}
	*to = '\0';
out:
	free(name);
	return plain;
}
