/* sif.h - SIF, "strip image format": indexed colours, run lengths, extension blocks.
 *
 *   "SIF1" width:u16 height:u16 colours:u8  colours x (r g b)
 *   then blocks:   '!' label:u8 ...         an extension (see extension.h)
 *                  ',' sub-blocks           run-length data: (count, colour) pairs
 *                  ';'                      the end
 *
 * Sub-blocks are a length byte and so many bytes, up to one of length zero. */
#ifndef LIBPICTURE_SIF_H
#define LIBPICTURE_SIF_H

#include <stddef.h>

struct printer;

int sif_describe(const unsigned char *data, size_t len, const struct printer *p);

#endif
