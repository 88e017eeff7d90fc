/* picture.h - libpicture: tell what a picture is and what it holds. */
#ifndef GAZETTE_PICTURE_H
#define GAZETTE_PICTURE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*picture_print)(void *ctx, const char *text, size_t len);

/* Decode a SIF or PIX picture and print a description, with a small preview in characters.
 * Returns 0, or -1 if the data is not a picture of a known kind. */
int picture_describe(const unsigned char *data, size_t len, picture_print print, void *ctx);

#ifdef __cplusplus
}
#endif
#endif
