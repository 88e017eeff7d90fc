/* pix.c - decode PIX pictures (see pix.h). */
#include "pix.h"

#include <stdlib.h>

#include "filter.h"
#include "print.h"
#include "reader.h"

#define PIX_MAX_WIDTH 16384
#define PIX_MAX_BYTES (64u << 20)

struct page {
	struct page *next;
	uint32_t width, height;
	uint32_t bytes;          /* of all rows */
	uint32_t rows;           /* how many were in the file */
	unsigned channels;
	unsigned char *pixels;
};

static int page_head(struct page *page, struct reader *r)
{
	page->width = read_u32(r);
	page->height = read_u32(r);
	page->channels = read_u8(r);
	if (page->width == 0 || page->width > PIX_MAX_WIDTH || page->height == 0)
		return -1;
	if (page->channels < 1 || page->channels > 4)
		return -1;
	page->bytes = page->width * page->channels * page->height;
	if (page->bytes == 0 || page->bytes > PIX_MAX_BYTES)
		return -1;
	page->pixels = calloc(1, page->bytes);
	return page->pixels == NULL ? -1 : 0;
}

static int page_rows(struct page *page, struct reader *r)
{
	uint32_t row_bytes = page->width * page->channels;
	struct filter *filter = filter_new(read_u8(r), row_bytes, page->channels);
	unsigned char *row = page->pixels;

	if (filter == NULL)
		return -1;
	while (page->rows < page->height && reader_left(r) >= row_bytes) {
		read_bytes(r, row, row_bytes);
		filter_row(filter, row);
		row += row_bytes;
		page->rows++;
	}
	free(filter);
	return 0;
}

static void page_free(struct page *page)
{
	if (page != NULL)
		free(page->pixels);
	free(page);
}

static struct page *page_read(struct reader *r)
{
	struct page *page = calloc(1, sizeof *page);

	if (page != NULL && (page_head(page, r) < 0 || page_rows(page, r) < 0)) {
		page_free(page);
		return NULL;
	}
	return page;
}

static void page_describe(const struct page *page, unsigned number, const struct printer *p)
{
	print_fmt(p, "page %u: %u x %u, %u channel%s, sum %08x\n", number, page->width, page->height,
		  page->channels, page->channels == 1 ? "" : "s",
		  print_checksum(page->pixels, page->bytes));
	if (page->rows < page->height)
		print_fmt(p, "cut short: %u of %u rows\n", page->rows, page->height);
	print_preview(p, page->pixels, page->width, page->rows, page->channels);
}

int pix_describe(const unsigned char *data, size_t len, const struct printer *p)
{
	struct reader r = { data, data + len, 0 };
	struct page *pages = NULL, **last = &pages;
	unsigned count = read_u8(&r), number = 0;

	while (number < count && (*last = page_read(&r)) != NULL) {
		last = &(*last)->next;
		number++;
	}
	print_fmt(p, "PIX picture, %u of %u pages\n", number, count);
	number = 0;
	while (pages != NULL) {
		struct page *next = pages->next;

		page_describe(pages, ++number, p);
		page_free(pages);
		pages = next;
	}
	return count > 0 ? 0 : -1;
}
