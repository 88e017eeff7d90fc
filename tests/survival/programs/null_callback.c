/* Commands with handlers; one that is announced but not there yet has none, and is called. A thread for each connection. */
#include "serve.h"

struct command {
	const char *name;
	int (*run)(const char *argument, char *out);
};

static int upper(const char *argument, char *out)
{
	int n = 0;
	for (; argument[n]; n++)
		out[n] = argument[n] >= 'a' && argument[n] <= 'z' ? argument[n] - 32 : argument[n];
	out[n] = 0;
	return n;
}

static int length(const char *argument, char *out)
{
	return sprintf(out, "%zu", strlen(argument));
}

static struct command commands[] = {{"upper", upper}, {"length", length}, {"lower", NULL}};

static void answer(char *line, char *out)
{
	char *space = strchr(line, ' ');
	if (space)
		*space = 0;
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (!strcmp(commands[i].name, line)) {
			if (commands[i].run(space ? space + 1 : "", out) < 0)
				strcpy(out, "failed");
			return;
		}
	}
	strcpy(out, "unknown");
}

int main(int argc, char **argv)
{
	serve_threads(argv[1], answer);
}
