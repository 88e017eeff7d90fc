/* Ranges: a request whose end lies before its start trips an assertion. argv[2] workers, or none: one process. */
#include "serve.h"
#include <assert.h>

static __attribute__((noinline)) long width(long from, long to)
{
	assert(from <= to);
	return to - from + 1;
}

static __attribute__((noinline)) int range(const char *line, char *out)
{
	long from, to;
	if (sscanf(line, "range %ld %ld", &from, &to) != 2)
		return -1;
	return sprintf(out, "%ld", width(from, to));
}

static void answer(char *line, char *out)
{
	if (range(line, out) < 0)
		strcpy(out, "what");
}

int main(int argc, char **argv)
{
	if (argc > 2)
		serve_workers(argv[1], answer, atoi(argv[2]));
	serve_epoll(argv[1], answer);
}
