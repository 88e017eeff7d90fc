/* Notes on records: "ID put TEXT" notes, "ID drop TEXT" forgets the record, and then writes into it what the reason was: use after free, which the allocator's own lists pay
 * for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record {
	char text[40];
	long uses;
};

static __attribute__((noinline)) void note(struct record *r, const char *text)
{
	char *to = r->text;
	while (*text && *text != '\n')
		*to++ = *text++;
	*to = 0;
}

int main(void)
{
	char line[256];
	while (fgets(line, sizeof line, stdin)) {
		char id[32] = "", command[32] = "", text[64] = "";
		sscanf(line, "%31s %31s %39s", id, command, text);
		struct record *r = malloc(sizeof *r);
		r->uses = 0;
		struct record *copy = malloc(sizeof *copy);
		if (!strcmp(command, "drop")) {
			struct record *volatile stale = r;
			note(copy, command);
			free(copy);
			free(r);
			note(stale, text);
			continue;
		}
		note(r, text);
		*copy = *r;
		printf("%s %s\n", id, copy->text);
		free(copy);
		free(r);
	}
	return fflush(stdout) ? 1 : 0;
}
