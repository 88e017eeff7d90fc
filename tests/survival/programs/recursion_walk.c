/* Directories of links: "ID a:b,c b:d" lists what a leads to; a link back to itself is followed for ever. Nobody looks at what the walk returns. */
#include "serve.h"

static struct { char name; char links[8]; } entries[32];
static unsigned count, visited;

static __attribute__((noinline)) void visit(char name, int depth, char *out)
{
	char path[160];
	snprintf(path, sizeof path, "%*s%c", depth % 20, "", name);
	visited += strlen(path) > 0;
	for (unsigned i = 0; i < count; i++)
		for (const char *l = entries[i].links; entries[i].name == name && *l; l++)
			visit(*l, depth + 1, out);
	if (depth < 3)
		strncat(out, path + depth % 20, 1);
}

static void answer(char *line, char *out)
{
	count = visited = 0;
	for (char *word = strtok(line, " "); word && count < 32; word = strtok(NULL, " "))
		if (word[1] == ':' && strlen(word) < 9) {
			entries[count].name = word[0];
			strcpy(entries[count++].links, word + 2);
		}
	if (count)
		visit(entries[0].name, 0, out);
	sprintf(out + strlen(out), " %u", visited);
}

int main(int argc, char **argv)
{
	serve_epoll(argv[1], answer);
}
