/* picture.c - find out which kind of picture some bytes are. */
#include "picture.h"

#include <string.h>

#include "pix.h"
#include "print.h"
#include "sif.h"

static const struct format {
	const char *magic;
	int (*describe)(const unsigned char *data, size_t len, const struct printer *p);
} formats[] = {
	{ "SIF1", sif_describe },
	{ "PIX2", pix_describe },
};

int picture_describe(const unsigned char *data, size_t len, picture_print print, void *ctx)
{
	struct printer p = { print, ctx };

	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		if (len >= 4 && memcmp(data, formats[i].magic, 4) == 0)
			return formats[i].describe(data + 4, len - 4, &p);
	return -1;
}
