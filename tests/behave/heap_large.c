/* Large blocks of odd sizes, most of them mapped by themselves, whose ends lie far before what the allocator says is usable: nothing is taken for damage while
 * they live, nor when they are freed, grown or shrunk.
 * run: 3
 */
#include "behave.h"

#include <time.h>

enum { BLOCKS = 60 };

int main(int argc, char **argv)
{
	unsigned char *block[BLOCKS];
	size_t size[BLOCKS];
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 0); /* canaries are looked at about once a second */
	for (int i = 0; i < BLOCKS; i++) {
		size[i] = 1000003u * (i % 3) + 130000u + i * 4093u;
		CHECK((block[i] = malloc(size[i])));
		memset(block[i], i, size[i]);
	}
	while (time(NULL) < end)
		usleep(100000);
	for (int i = 0; i < BLOCKS; i++) {
		size_t other = size[i] + (i % 2 ? -50001 : 70001);
		CHECK((block[i] = realloc(block[i], other)));
		CHECK(block[i][0] == i && block[i][(other < size[i] ? other : size[i]) - 1] == i);
		memset(block[i], i, other);
		free(block[i]);
	}
	return passed();
}
