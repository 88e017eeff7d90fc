/* Turns a file of "TYPE LENGTH TEXT" records into a listing; the length is believed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record {
	char type[8];
	char text[32];
};

int main(int argc, char **argv)
{
	char line[4096];
	FILE *f = argc > 1 ? fopen(argv[1], "r") : stdin;
	if (!f)
		return 1;
	while (fgets(line, sizeof line, f)) {
		struct record r = {0};
		line[strcspn(line, "\n")] = 0;
		char *length = strchr(line, ' '), *text;
		if (!length)
			continue;
		*length++ = 0;
		size_t n = strtoul(length, &text, 10);
		strncpy(r.type, line, sizeof r.type - 1);
		memcpy(r.text, text + 1, n);
		printf("%-8s|%.*s\n", r.type, (int)sizeof r.text, r.text);
	}
	puts("end");
	return 0;
}
