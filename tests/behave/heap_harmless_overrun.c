/* A write beyond a block that hits nothing but the allocator's rounding: the program goes on, however often it frees or moves what it has overrun.
 *
 * build: -O1
 * modes: -heap -strict
 */
#include "behave.h"

int main(void)
{
	for (int round = 0; round < 3; round++) {
		volatile char *p = malloc(20), *q = malloc(21);
		for (int i = 0; i < 24; i++)
			p[i] = q[i] = (char)('a' + i);
		char *r = realloc((char *)q, 60);
		r[21] = 0;
		puts(r);
		free((char *)p);
		free(r);
	}
	return passed();
}
