/* clearview: finds the command in the table and runs it. Exit codes: 0 all right, 125 an error of ClearView's own, 126 and 127 as env(1) has
 * them for programs to run; otherwise, for run, the program's own. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#ifndef CLEARVIEW_VERSION
#define CLEARVIEW_VERSION "unknown"
#endif

static int print_commands(void)
{
	printf("usage: clearview COMMAND [ARGUMENT...]\n\n"
	       "ClearView guards programs: it learns how they behave, notices when they fail or are attacked, and patches them while they run.\n\n");
	for (const struct command *c = commands; c->name; c++)
		printf("  %-12s%s\n", c->name, c->summary);
	printf("  %-12s%s\n\n", "help", "explain a command");
	printf("The state is kept in $CLEARVIEW_STATE, else $XDG_STATE_HOME/clearview, else ~/.local/state/clearview; --state DIR chooses another\n"
	       "folder for one command. Exit codes: 0; 125 an error of ClearView's own; 126 a program that cannot be run; 127 one that is not\n"
	       "found; otherwise the guarded program's own.\n");
	return finish_output();
}

const struct command *command_find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

/* Edit distance, bounded by the short names in the table. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[32], length = strlen(b);
	if (length >= 32)
		return ~0u;
	for (unsigned j = 0; j <= length; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned corner = row[0]++;
		for (unsigned j = 1; j <= length; j++) {
			unsigned best = corner + (a[i - 1] != b[j - 1]);
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			corner = row[j];
			row[j] = best;
		}
	}
	return row[length];
}

static const char *nearest(const char *name)
{
	const char *best = NULL;
	unsigned least = 3;
	for (const struct command *c = commands; c->name; c++)
		if (distance(name, c->name) < least) {
			best = c->name;
			least = distance(name, c->name);
		}
	return best;
}

static const struct command *find_or_die(const char *name)
{
	const struct command *c = command_find(name);
	if (c)
		return c;
	const char *meant = nearest(name);
	if (meant)
		die(EXIT_CLEARVIEW, "there is no command \"%s\"; did you mean \"%s\"?", name, meant);
	die(EXIT_CLEARVIEW, "there is no command \"%s\"; `clearview help` lists them", name);
}

/* A command knows its options best: it prints its own help. */
static int help(const char *name)
{
	if (!name)
		return print_commands();
	const struct command *c = find_or_die(name);
	char *arguments[] = {(char *)c->name, "--help", NULL};
	return c->run(2, arguments);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		die(EXIT_CLEARVIEW, "which command? `clearview help` lists them");
	if (!strcmp(argv[1], "--version")) {
		printf("clearview " CLEARVIEW_VERSION "\n");
		return finish_output();
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return help(argv[2]);
	return find_or_die(argv[1])->run(argc - 1, argv + 1);
}
