/* sif.c - decode SIF pictures (see sif.h). */
#include "sif.h"

#include <stdlib.h>

#include "extension.h"
#include "print.h"
#include "reader.h"

#define SIF_MAX_SIDE 2048

struct sif {
	unsigned width, height, colours;
	unsigned char palette[256][3];
	unsigned char *pixels;          /* brightness, width * height */
	unsigned frames;
	struct extensions extensions;
};

static int read_head(struct sif *s, struct reader *r)
{
	s->width = read_u16(r);
	s->height = read_u16(r);
	s->colours = read_u8(r);
	if (s->width == 0 || s->height == 0 || s->width > SIF_MAX_SIDE || s->height > SIF_MAX_SIDE)
		return -1;
	read_bytes(r, s->palette, s->colours * sizeof s->palette[0]);
	s->pixels = calloc(s->width, s->height);
	return s->pixels == NULL || r->short_of ? -1 : 0;
}

static unsigned char brightness(const unsigned char *rgb)
{
	return (unsigned char)((rgb[0] * 30 + rgb[1] * 59 + rgb[2] * 11) / 100);
}

/* Returns where the next run goes. */
static size_t paint_run(struct sif *s, size_t at, unsigned count, unsigned colour)
{
	size_t total = (size_t)s->width * s->height;

	for (; count > 0 && at < total; count--)
		s->pixels[at++] = brightness(s->palette[colour]);
	return at;
}

static int read_frame(struct sif *s, struct reader *r)
{
	size_t len = blocks_length(r), at = 0;
	unsigned char *runs = malloc(len + 1);

	if (runs == NULL)
		return -1;
	blocks_copy(r, runs);
	for (size_t i = 0; i + 1 < len; i += 2)
		at = paint_run(s, at, runs[i], runs[i + 1]);
	s->frames++;
	free(runs);
	return 0;
}

static int read_blocks(struct sif *s, struct reader *r)
{
	int bad = 0;

	while (!bad && !r->short_of) {
		switch (read_u8(r)) {
		case '!': bad = extension_read(&s->extensions, r); break;
		case ',': bad = read_frame(s, r); break;
		case ';': return 0;
		default: bad = -1;
		}
	}
	return -1;
}

static void describe(const struct sif *s, const struct printer *p)
{
	size_t total = (size_t)s->width * s->height;

	print_fmt(p, "SIF picture, %u x %u, %u colours, %u frame%s\n", s->width, s->height, s->colours,
		  s->frames, s->frames == 1 ? "" : "s");
	extensions_describe(&s->extensions, p);
	print_fmt(p, "sum %08x\n", print_checksum(s->pixels, total));
	print_preview(p, s->pixels, s->width, s->height, 1);
}

int sif_describe(const unsigned char *data, size_t len, const struct printer *p)
{
	struct reader r = { data, data + len, 0 };
	struct sif *s = calloc(1, sizeof *s);
	int bad;

	if (s == NULL)
		return -1;
	extensions_init(&s->extensions);
	bad = read_head(s, &r) < 0;
	if (!bad) {
		if (read_blocks(s, &r) < 0)
			print_fmt(p, "damaged: shown as far as it goes\n");
		describe(s, p);
	}
	extensions_free(&s->extensions);
	free(s->pixels);
	free(s);
	return bad ? -1 : 0;
}
