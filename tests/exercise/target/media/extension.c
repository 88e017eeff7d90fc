/* extension.c - extension blocks of SIF pictures (see extension.h). */
#include "extension.h"

#include <stdlib.h>

#include "print.h"

size_t blocks_length(const struct reader *r)
{
	struct reader ahead = *r;
	size_t total = 0;
	unsigned n;

	while ((n = read_u8(&ahead)) != 0) {
		total += n < reader_left(&ahead) ? n : reader_left(&ahead);
		read_skip(&ahead, n);
	}
	return total;
}

void blocks_copy(struct reader *r, unsigned char *to)
{
	unsigned n;

	while ((n = read_u8(r)) != 0)
		to += read_bytes(r, to, n);
}

static void blocks_skip(struct reader *r)
{
	unsigned n;

	while ((n = read_u8(r)) != 0)
		read_skip(r, n);
}

static unsigned u16_at(const struct extension *x, size_t at)
{
	return at + 2 <= x->len ? x->data[at] | x->data[at + 1] << 8 : 0;
}

static void timing_describe(const struct extension *x, const struct printer *p)
{
	print_fmt(p, "timing: delay %u ms, ", u16_at(x, 0) * 10);
	if (u16_at(x, 2) == 0)
		print_fmt(p, "for ever\n");
	else
		print_fmt(p, "%u times\n", u16_at(x, 2));
}

static int timing_plays(const struct extension *x)
{
	return u16_at(x, 0) > 0;
}

static void application_describe(const struct extension *x, const struct printer *p)
{
	size_t name = x->len < 8 ? x->len : 8;

	print_fmt(p, "application: ");
	print_text(p, (const char *)x->data, name);
	print_fmt(p, ", %zu bytes, sum %08x\n", x->len - name,
		  print_checksum(x->data + name, x->len - name));
}

static int application_plays(const struct extension *x)
{
	return x->len >= 8 && memcmp(x->data, "ANIMATE ", 8) == 0;
}

static void unknown_describe(const struct extension *x, const struct printer *p)
{
	print_fmt(p, "unknown extension, %zu bytes\n", x->len);
}

static int unknown_plays(const struct extension *x)
{
	(void)x;
	return 0;
}

static const struct extension_ops timing_ops = { "timing", timing_describe, timing_plays };
static const struct extension_ops application_ops = { "application", application_describe,
						      application_plays };
static const struct extension_ops unknown_ops = { "unknown", unknown_describe, unknown_plays };

static const struct extension_ops *ops_of(unsigned label)
{
	switch (label) {
	case 0xf9: return &timing_ops;
	case 0xff: return &application_ops;
	default: return &unknown_ops;
	}
}

static int block_read(struct extensions *all, struct reader *r, unsigned label)
{
	size_t len = blocks_length(r);
	struct extension *x = malloc(sizeof *x + len);

	if (x == NULL)
		return -1;
	x->ops = ops_of(label);
	x->next = NULL;
	x->len = len;
	blocks_copy(r, x->data);
	*all->last = x;
	all->last = &x->next;
	return 0;
}

/* One line per sub-block. An empty line separates paragraphs. */
static size_t copy_lines(struct reader *r, unsigned lines, char *to)
{
	char *start = to;

	for (unsigned i = 0; i < lines && !r->short_of; i++) {
		to += read_bytes(r, to, read_u8(r));
		*to++ = '\n';
	}
	return (size_t)(to - start);
}

static int caption_read(struct extensions *all, struct reader *r)
{
	unsigned lines = read_u8(r);

	free(all->caption);
	all->caption = malloc(blocks_length(r) + lines + 1);
	if (all->caption == NULL)
		return -1;
	all->caption_len = copy_lines(r, lines, all->caption);
	all->caption[all->caption_len] = '\0';
	blocks_skip(r);
	return 0;
}

int extension_read(struct extensions *all, struct reader *r)
{
	unsigned label = read_u8(r);

	if (label == 0xfe)
		return caption_read(all, r);
	return block_read(all, r, label);
}

void extensions_describe(const struct extensions *all, const struct printer *p)
{
	int plays = 0;

	if (all->caption != NULL) {
		print_fmt(p, "caption:\n");
		print_text(p, all->caption, all->caption_len);
	}
	for (const struct extension *x = all->first; x != NULL; x = x->next) {
		x->ops->describe(x, p);
		plays |= x->ops->plays(x);
	}
	print_fmt(p, plays ? "animated\n" : "still\n");
}

void extensions_init(struct extensions *all)
{
	memset(all, 0, sizeof *all);
	all->last = &all->first;
}

void extensions_free(struct extensions *all)
{
	struct extension *x = all->first;

	while (x != NULL) {
		struct extension *next = x->next;

		free(x);
		x = next;
	}
	free(all->caption);
	memset(all, 0, sizeof *all);
}
