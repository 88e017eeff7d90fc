/* A filter that measures nested lists, one a line: "ID ((a)b)" gives the depth. A deep one exhausts the stack. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	const char *at;
	int deepest;
};

static int list(struct parser *p, int depth);

static __attribute__((noinline)) int item(struct parser *p, int depth)
{
	char scratch[200];
	int n = 0;
	if (*p->at == '(')
		return list(p, depth + 1);
	while (*p->at && !strchr("()", *p->at) && n < 199)
		scratch[n++] = *p->at++;
	scratch[n] = 0;
	return strlen(scratch) ? 0 : -1;
}

static __attribute__((noinline)) int list(struct parser *p, int depth)
{
	if (depth > p->deepest)
		p->deepest = depth;
	p->at++;
	while (*p->at && *p->at != ')')
		if (item(p, depth))
			return -1;
	if (*p->at != ')')
		return -1;
	p->at++;
	return 0;
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	while (getline(&line, &room, stdin) > 0) {
		struct parser p = {0};
		char *rest;
		line[strcspn(line, "\n")] = 0;
		long id = strtol(line, &rest, 10);
		p.at = rest + strspn(rest, " ");
		int bad = item(&p, 0);
		printf("%ld %s %d\n", id, bad ? "bad" : "depth", p.deepest);
	}
	return fflush(stdout) ? 1 : 0;
}
