/* print.c - formatted output (see print.h). */
#include "print.h"

#include <stdarg.h>
#include <stdio.h>

void print_fmt(const struct printer *p, const char *format, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	if (n >= (int)sizeof line)
		n = sizeof line - 1;
	p->print(p->ctx, line, (size_t)n);
}

void print_text(const struct printer *p, const char *text, size_t len)
{
	char line[128];
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		line[n++] = c == '\n' || (c >= ' ' && c < 0x7f) ? (char)c : '.';
		if (n == sizeof line || i + 1 == len) {
			p->print(p->ctx, line, n);
			n = 0;
		}
	}
}

static char shade(unsigned value)
{
	static const char shades[] = " .:-=+*%#@";

	return shades[value * (sizeof shades - 2) / 255];
}

void print_preview(const struct printer *p, const unsigned char *pixels, unsigned width,
		   unsigned height, unsigned step)
{
	unsigned columns = width < 32 ? width : 32, rows = height < 8 ? height : 8;
	char line[33];

	for (unsigned y = 0; y < rows; y++) {
		for (unsigned x = 0; x < columns; x++) {
			size_t at = (size_t)(y * height / rows) * width + x * width / columns;

			line[x] = shade(pixels[at * step]);
		}
		line[columns] = '\n';
		p->print(p->ctx, line, columns + 1);
	}
}

unsigned print_checksum(const unsigned char *data, size_t len)
{
	unsigned a = 1, b = 0;

	for (size_t i = 0; i < len; i++) {
		a = (a + data[i]) % 65521;
		b = (b + a) % 65521;
	}
	return b << 16 | a;
}
