/* The allocator notices a double free and gives up, in the same words.
 *
 * build: -O1
 * run: => SIGABRT
 * token: none
 */
#include "behave.h"

int main(void)
{
	void *volatile p = malloc(24);
	free(p);
	free(p);
	return passed();
}
