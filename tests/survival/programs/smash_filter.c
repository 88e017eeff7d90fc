/* Unpacks run-length records "ID COUNTcCOUNTc...", to a buffer on the stack without looking at its end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static __attribute__((noinline)) size_t unpack(const char *packed, FILE *to)
{
	char plain[64];
	char *volatile start = plain;
	char *at = start;
	while (*packed >= '0' && *packed <= '9') {
		char *letter;
		for (long count = strtol(packed, &letter, 10); count > 0; count--)
			*at++ = *letter;
		packed = letter + 1;
	}
	return fwrite(start, 1, at - start, to);
}

int main(void)
{
	char line[1024];
	while (fgets(line, sizeof line, stdin)) {
		char *rest;
		long id = strtol(line, &rest, 10);
		printf("%ld ", id);
		size_t n = unpack(rest + strspn(rest, " "), stdout);
		printf(" %s\n", n > 64 ? "long" : "ok");
	}
	return fflush(stdout) ? 1 : 0;
}
