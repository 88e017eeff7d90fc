/* Programs that use their address space freely: fixed maps, reservations of terabytes, moves, break, remapping of files, low addresses. */
#include "behave.h"
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
	char *p = mmap(NULL, 1ul << 42, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), *q, *old = sbrk(0);

	CHECK(p != MAP_FAILED);
	q = mmap(p + (1ul << 41), 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(q == p + (1ul << 41));
	strcpy(q, "moved");
	q = mremap(q, 65536, 131072, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && !strcmp(q, "moved"));
	CHECK(munmap(p, 1ul << 42) == 0);
	CHECK(sbrk(1 << 26) == old);
	memset(old, 1, 1 << 26);
	q = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(q == (char *)0x10000000);
	q = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	CHECK(q != MAP_FAILED && (uintptr_t)q < 1ul << 32);
	for (int i = 0; i < 1000; i++) {
		size_t size = (size_t)(i % 50 + 1) << 14;
		char *block = malloc(size);
		memset(block, i, size);
		block = realloc(block, size * 2);
		CHECK(block[size - 1] == (char)i);
		free(block);
	}
	return passed();
}
