/* Counters by number; a negative one writes before the table. */
#include "serve.h"

static struct { long total; int hits; } counter[64];
static long all;

static __attribute__((noinline)) long add(long number, long amount)
{
	if (number >= 64)
		return -1;
	counter[number].hits++;
	counter[number].total += amount;
	all += amount;
	return counter[number].total;
}

static void answer(char *line, char *out)
{
	long number, amount;
	if (sscanf(line, "add %ld %ld", &number, &amount) == 2)
		sprintf(out, "%ld", add(number, amount));
	else
		sprintf(out, "all %ld", all);
}

int main(int argc, char **argv)
{
	serve_epoll(argv[1], answer);
}
