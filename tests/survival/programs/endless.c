/* Steps through a range; a step of 0 never arrives. A server with one thread, or with "-" a filter. */
#include "serve.h"

static __attribute__((noinline)) unsigned long steps(unsigned from, unsigned to, unsigned by)
{
	unsigned long count = 0, sum = 0;
	for (unsigned at = from; at != to && (at < to) == (from < to); at += by) {
		count++;
		sum ^= at;
	}
	return count ? sum : 0;
}

static void answer(char *line, char *out)
{
	unsigned from, to, by;
	if (sscanf(line, "%u %u %u", &from, &to, &by) == 3)
		sprintf(out, "%lu", steps(from, to, by));
	else
		strcpy(out, "what");
}

static int filter(void)
{
	char line[LINE], out[LINE];
	while (fgets(line, sizeof line, stdin)) {
		answer(line, out);
		puts(out);
	}
	return fflush(stdout) ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (!strcmp(argv[1], "-"))
		return filter();
	serve_epoll(argv[1], answer);
}
