/* A filter that names colours: "ID COLOUR" in, "ID NAME" out. The colour's number is not checked. */
#include <stdio.h>
#include <stdlib.h>

static const char *const names[] = {"red", "green", "blue", "white"};

static __attribute__((noinline)) const char *name_of(long colour)
{
	return names[colour];
}

int main(void)
{
	char line[256];
	while (fgets(line, sizeof line, stdin)) {
		char *rest;
		long id = strtol(line, &rest, 10);
		printf("%ld %s\n", id, name_of(strtol(rest, NULL, 10)));
	}
	return fflush(stdout) ? 1 : 0;
}
