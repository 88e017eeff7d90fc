/* Keeps notes; a note is stored in a block sized by what the client says its length is. */
#include "serve.h"

struct note {
	struct note *next;
	char *text;
	unsigned key;
};

static struct note *notes;

static __attribute__((noinline)) char *keep(size_t length, const char *text)
{
	char *copy = malloc(length + 1);
	if (copy) {
		char *to = copy;
		while ((*to++ = *text++))
			;
	}
	return copy;
}

static __attribute__((noinline)) int put(unsigned key, size_t length, const char *text)
{
	struct note *n = malloc(sizeof *n);
	char *kept = keep(length, text);
	if (!n || !kept)
		return -1;
	*n = (struct note){notes, kept, key};
	notes = n;
	return 0;
}

static __attribute__((noinline)) int drop(unsigned key)
{
	for (struct note **n = &notes; *n; n = &(*n)->next) {
		if ((*n)->key == key) {
			struct note *gone = *n;
			*n = gone->next;
			free(gone->text);
			free(gone);
			return 0;
		}
	}
	return -1;
}

static void answer(char *line, char *out)
{
	unsigned key;
	size_t length;
	int at = 0;
	if (sscanf(line, "put %u %zu %n", &key, &length, &at) == 2 && at)
		sprintf(out, put(key, length, line + at) ? "failed" : "kept");
	else if (sscanf(line, "drop %u", &key) == 1)
		sprintf(out, drop(key) ? "none" : "gone");
	else
		sprintf(out, "what");
}

int main(int argc, char **argv)
{
	serve_epoll(argv[1], answer);
}
