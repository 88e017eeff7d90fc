/* Greets, by copying the name into a buffer that is too small for long ones: stack protector. argv[2] workers, or none: one process. */
#include "serve.h"

static unsigned greeted;

static __attribute__((noinline)) int greet(const char *name, const char *place, char *out)
{
	char who[40], where[24];
	/* Behind the compiler's back, as with lengths that come from elsewhere: without it the copy would be a fortified one. */
	char *volatile to = who;
	char *w = to;
	while ((*w++ = *name++))
		;
	snprintf(where, sizeof where, "%s", place);
	greeted++;
	return snprintf(out, LINE, "hello %.39s from %s", to, where);
}

static void answer(char *line, char *out)
{
	char *place = strchr(line, '@');
	if (!place) {
		sprintf(out, "nobody");
		return;
	}
	*place = 0;
	int length = greet(line, place + 1, out);
	if (length > LINE / 2)
		strcpy(out, "too long");
}

int main(int argc, char **argv)
{
	if (argc > 2)
		serve_workers(argv[1], answer, atoi(argv[2]));
	serve_epoll(argv[1], answer);
}
