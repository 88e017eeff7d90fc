/* A filter of "ID WORD WORD": on an error both the parser and its caller free the record. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record {
	char *first, *second;
	long id;
};

static __attribute__((noinline)) int parse(const char *line, struct record *r)
{
	char a[100], b[100];
	int n = sscanf(line, "%ld %99s %99s", &r->id, a, b);
	if (n >= 2)
		r->first = strdup(a);
	if (n < 3) {
		free(r->first);
		return -1;
	}
	r->second = strdup(b);
	return 0;
}

static __attribute__((noinline)) void release(struct record *r)
{
	free(r->first);
	free(r->second);
}

int main(void)
{
	char line[256];
	while (fgets(line, sizeof line, stdin)) {
		struct record r = {0};
		if (parse(line, &r) == 0)
			printf("%ld %s-%s\n", r.id, r.second, r.first);
		else
			printf("%ld bad\n", r.id);
		release(&r);
	}
	return fflush(stdout) ? 1 : 0;
}
