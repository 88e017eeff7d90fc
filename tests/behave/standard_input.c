/* Standard input reaches the program whole, standard output and error come back whole and apart.
 * stdin: first line\nsecond line\n\x00\xff binary\nlast line without end
 */
#include "behave.h"
#include <unistd.h>

int main(void)
{
	char buffer[256];
	size_t total = 0;
	ssize_t n;

	while ((n = read(0, buffer + total, sizeof buffer - total)) > 0)
		total += n;
	CHECK(n == 0);
	for (size_t i = 0; i < total; i++)
		printf("%02x%c", (unsigned char)buffer[i], i % 16 == 15 ? '\n' : ' ');
	fprintf(stderr, "%zu bytes\n", total);
	for (int i = 0; i < 100000; i++)
		printf("%d\n", i);
	return passed();
}
