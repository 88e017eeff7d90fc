/* What the allocator promises: contents survive growing and shrinking, calloc's memory is zero, alignments are as asked for, and as much as
 * malloc_usable_size says may be used.
 *
 * build: -O2
 * build: -O2 -static
 */
#include "behave.h"

#include <malloc.h>

static void fill(unsigned char *p, size_t size, unsigned seed)
{
	for (size_t i = 0; i < size; i++)
		p[i] = (unsigned char)(seed + i * 7);
}

static int holds(const unsigned char *p, size_t size, unsigned seed)
{
	for (size_t i = 0; i < size; i++)
		if (p[i] != (unsigned char)(seed + i * 7))
			return 0;
	return 1;
}

static void grow_and_shrink(void)
{
	unsigned char *p = NULL;
	size_t size = 0;
	for (unsigned step = 0; step < 4000; step++) {
		size_t next = step % 5 == 4 ? size / 3 : step % 500 == 7 ? 400000 : size + step % 97;
		p = realloc(p, next ? next : 1);
		CHECK(p);
		CHECK(holds(p, size < next ? size : next, 3));
		size = next;
		fill(p, size, 3);
	}
	free(p);
}

static void use_all_of_it(void)
{
	for (size_t size = 0; size < 5000; size += 1 + size / 16) {
		unsigned char *p = malloc(size);
		size_t usable = malloc_usable_size(p);
		CHECK(usable >= size);
		fill(p, usable, 5);
		p = realloc(p, usable + 40);
		CHECK(holds(p, usable, 5));
		free(p);
	}
}

static void zeroed(void)
{
	for (unsigned i = 0; i < 2000; i++) {
		unsigned char *dirty = malloc(i);
		memset(dirty, 0xff, i);
		free(dirty);
		unsigned char *p = calloc(i / 4 + 1, 4);
		for (unsigned k = 0; k < (i / 4 + 1) * 4; k++)
			CHECK(!p[k]);
		free(p);
	}
}

static void aligned(void)
{
	for (size_t alignment = 8; alignment <= 65536; alignment *= 2)
		for (size_t size = 1; size < 3000; size = size * 3 + 1) {
			void *p, *q = memalign(alignment, size), *r = aligned_alloc(alignment, size);
			CHECK(!posix_memalign(&p, alignment, size));
			CHECK(!((uintptr_t)p % alignment) && !((uintptr_t)q % alignment) && !((uintptr_t)r % alignment));
			CHECK(malloc_usable_size(p) >= size && malloc_usable_size(q) >= size && malloc_usable_size(r) >= size);
			fill(p, size, 1);
			p = realloc(p, size * 2);
			CHECK(holds(p, size, 1));
			free(p);
			free(q);
			free(r);
		}
	void *page = valloc(10), *pages = pvalloc(10);
	CHECK(!((uintptr_t)page % 4096) && !((uintptr_t)pages % 4096) && malloc_usable_size(pages) >= 4096);
	memset(pages, 1, 4096);
	free(page);
	free(pages);
}

int main(void)
{
	grow_and_shrink();
	use_all_of_it();
	zeroed();
	aligned();
	return passed();
}
