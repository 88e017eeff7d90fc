/* Looks words up in a hash table whose chain was made a ring by putting the same entry in twice: a pointer chase without end. */
#include "serve.h"

struct entry {
	struct entry *next;
	char word[32];
};

static struct entry *bucket[16];

static __attribute__((noinline)) struct entry **slot(const char *word)
{
	unsigned h = 5381;
	while (*word)
		h = h * 33 + (unsigned char)*word++;
	return &bucket[h % 16];
}

static struct entry *last;

static __attribute__((noinline)) int insert(const char *word, int again)
{
	struct entry *e = again ? last : calloc(1, sizeof *e);
	if (!e)
		return -1;
	snprintf(e->word, sizeof e->word, "%s", word);
	struct entry **b = slot(e->word);
	e->next = *b;
	*b = last = e;
	return 0;
}

static __attribute__((noinline)) const struct entry *find(const char *word)
{
	const struct entry *e = *slot(word);
	while (e && strcmp(e->word, word))
		e = e->next;
	return e;
}

static void answer(char *line, char *out)
{
	if (!strncmp(line, "put ", 4))
		sprintf(out, insert(line + 4, 0) ? "failed" : "put");
	else if (!strncmp(line, "touch ", 6))
		sprintf(out, insert(line + 6, 1) ? "failed" : "touched");
	else
		sprintf(out, find(line) ? "known" : "unknown");
}

int main(int argc, char **argv)
{
	serve_epoll(argv[1], answer);
}
