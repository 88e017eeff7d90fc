/* Sessions: closing one frees it, but "current" still points to it, and its name is used. A thread for each connection. */
#include "serve.h"

struct session {
	char *name;
	struct session *next;
	long count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct session *current;

static __attribute__((noinline)) struct session *open_session(const char *name)
{
	struct session *s = malloc(sizeof *s);
	s->name = strdup(name);
	s->next = NULL;
	s->count = 0;
	return s;
}

static __attribute__((noinline)) void close_session(struct session *s)
{
	free(s->name);
	free(s);
}

static __attribute__((noinline)) int tell(const struct session *s, char *out)
{
	return sprintf(out, "%s %ld %zu", s->name, s->count, strlen(s->name));
}

static void answer(char *line, char *out)
{
	pthread_mutex_lock(&lock);
	if (!strncmp(line, "open ", 5)) {
		current = open_session(line + 5);
		strcpy(out, "open");
	} else if (!strcmp(line, "close") && current) {
		close_session(current);
		memset(line, 0xfe, 48);
		char *reused = malloc(sizeof *current); /* the block gets another use */
		memcpy(reused, line, sizeof *current);
		strcpy(out, "closed");
	} else if (!strcmp(line, "who") && current) {
		current->count++;
		tell(current, out);
	} else {
		strcpy(out, "none");
	}
	pthread_mutex_unlock(&lock);
}

int main(int argc, char **argv)
{
	serve_threads(argv[1], answer);
}
