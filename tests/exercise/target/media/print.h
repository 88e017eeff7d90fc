/* print.h - formatted output through the caller's function. */
#ifndef LIBPICTURE_PRINT_H
#define LIBPICTURE_PRINT_H

#include "picture.h"

struct printer {
	picture_print print;
	void *ctx;
};

void print_fmt(const struct printer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Print bytes of a file as text; what is not printable becomes a dot. */
void print_text(const struct printer *p, const char *text, size_t len);

/* A preview, at most 32 by 8 characters, of 8-bit brightness values `step` bytes apart. */
void print_preview(const struct printer *p, const unsigned char *pixels, unsigned width,
		   unsigned height, unsigned step);

/* A checksum of bytes, so that two pictures can be compared by eye. */
unsigned print_checksum(const unsigned char *data, size_t len);

#endif
