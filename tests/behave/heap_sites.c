/* Blocks allocated at thousands of places, more than the allocation map has numbers for. */
#include "behave.h"

#define ONE kept[count++] = malloc(97);
#define EIGHT ONE ONE ONE ONE ONE ONE ONE ONE
#define MANY EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT /* 64 */
#define MOST MANY MANY MANY MANY MANY MANY MANY MANY         /* 512 */

enum { SITES = 10 * 512 };

int main(void)
{
	static unsigned char *kept[SITES];
	unsigned count = 0, wrong = 0;
	MOST MOST MOST MOST MOST
	MOST MOST MOST MOST MOST
	for (unsigned i = 0; i < count; i++)
		memset(kept[i], i, 97);
	for (unsigned i = 0; i < count; i++) {
		for (unsigned k = 0; k < 97; k++)
			wrong += kept[i][k] != (unsigned char)i;
		free(kept[i]);
	}
	CHECK(count == SITES && !wrong);
	return passed();
}
