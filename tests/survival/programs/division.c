/* A filter of sums: "ID A B" gives quotient and rest. Neither 0 nor LONG_MIN / -1 is looked at. */
#include <stdio.h>

static __attribute__((noinline)) void divide(long id, long a, long b)
{
	printf("%ld %ld %ld\n", id, a / b, a % b);
}

int main(void)
{
	char line[256];
	long id, a, b;
	while (fgets(line, sizeof line, stdin))
		if (sscanf(line, "%ld %ld %ld", &id, &a, &b) == 3)
			divide(id, a, b);
	return fflush(stdout) ? 1 : 0;
}
