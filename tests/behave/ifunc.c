/* Functions chosen when the program starts (GNU indirect functions), called directly and through a pointer.
 * build: -O2
 * build: -O2 -no-pie -fno-pie
 * build: -O2 -static
 */
#include "behave.h"

static int plain(int x) { return x + 1; }
static int fancy(int x) { return x + 2; }
static int (*choose(void))(int)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("sse2") ? fancy : plain;
}
int chosen(int x) __attribute__((ifunc("choose")));

int main(void)
{
	int (*volatile pointer)(int) = chosen;
	char a[100], b[100];

	CHECK(chosen(1) == 3 && pointer(1) == 3);
	memset(a, 'x', sizeof a);
	memcpy(b, a, sizeof b);
	CHECK(!memcmp(a, b, sizeof a) && memchr(b, 'x', sizeof b) == b);
	return passed();
}
