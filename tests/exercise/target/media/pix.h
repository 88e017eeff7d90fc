/* pix.h - PIX, plain pixels: one or more pages of rows, each filtered like PNG's.
 *
 *   "PIX2" pages:u8, then for each page
 *       width:u32 height:u32 channels:u8 (1-4) filter:u8 (0 none, 1 left, 2 above)
 *       height rows of width * channels bytes
 *
 * A file cut short is shown as far as it goes, as a viewer does while a picture is loading. */
#ifndef LIBPICTURE_PIX_H
#define LIBPICTURE_PIX_H

#include <stddef.h>

struct printer;

int pix_describe(const unsigned char *data, size_t len, const struct printer *p);

#endif
