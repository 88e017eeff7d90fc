/* reader.h - a cursor over the bytes of a file. Reading past the end gives zeros and sets `short_of`. */
#ifndef LIBPICTURE_READER_H
#define LIBPICTURE_READER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
	const unsigned char *at, *end;
	int short_of;
};

static inline size_t reader_left(const struct reader *r)
{
	return (size_t)(r->end - r->at);
}

static inline unsigned read_u8(struct reader *r)
{
	if (r->at == r->end) {
		r->short_of = 1;
		return 0;
	}
	return *r->at++;
}

static inline unsigned read_u16(struct reader *r)
{
	unsigned low = read_u8(r);

	return low | read_u8(r) << 8;
}

static inline uint32_t read_u32(struct reader *r)
{
	uint32_t low = read_u16(r);

	return low | (uint32_t)read_u16(r) << 16;
}

/* Copy up to n bytes; returns how many there were. */
static inline size_t read_bytes(struct reader *r, void *to, size_t n)
{
	size_t have = reader_left(r) < n ? reader_left(r) : n;

	memcpy(to, r->at, have);
	r->at += have;
	r->short_of |= have < n;
	return have;
}

static inline void read_skip(struct reader *r, size_t n)
{
	r->short_of |= reader_left(r) < n;
	r->at += reader_left(r) < n ? reader_left(r) : n;
}

#endif
