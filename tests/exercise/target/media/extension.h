/* extension.h - extension blocks of SIF pictures.
 *
 *   0xF9 timing        sub-blocks: delay:u16 loops:u16
 *   0xFE caption       count:u8, then the caption's lines as sub-blocks, then the closing sub-block;
 *                      a later caption replaces an earlier one
 *   0xFF application   sub-blocks: name (8 bytes), anything
 *   others             sub-blocks, ignored */
#ifndef LIBPICTURE_EXTENSION_H
#define LIBPICTURE_EXTENSION_H

#include "reader.h"

struct printer;
struct extension;

struct extension_ops {
	const char *name;
	void (*describe)(const struct extension *x, const struct printer *p);
	int (*plays)(const struct extension *x);   /* is the picture animated by it? */
};

struct extension {
	const struct extension_ops *ops;
	struct extension *next;
	size_t len;
	unsigned char data[];
};

struct extensions {
	struct extension *first, **last;
	char *caption;
	size_t caption_len;
};

void extensions_init(struct extensions *all);
void extensions_free(struct extensions *all);

/* Read one extension; the cursor is behind its '!'. Returns 0, or -1 if the file is damaged. */
int extension_read(struct extensions *all, struct reader *r);

void extensions_describe(const struct extensions *all, const struct printer *p);

/* The length of all data in the sub-blocks from here to the closing one; the cursor stays. */
size_t blocks_length(const struct reader *r);

/* Copy the data of all sub-blocks and move behind the closing one. */
void blocks_copy(struct reader *r, unsigned char *to);

#endif
