/* gcc's nested functions: trampolines written onto an executable stack and called.
 * build: -O2 -z execstack
 */
#include "behave.h"

static __attribute__((noinline)) int apply(int (*f)(int), int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += f(i);
	return sum;
}

int main(int argc, char **argv)
{
	int factor = argc + 2;
	int times(int x) { return x * factor; }
	int total = 0;

	for (factor = 1; factor < 50; factor++)
		total += apply(times, factor);
	printf("%d\n", total);
	return passed();
}
