/* What commands have in common: options and help from declarations, opening the state, output. */
#include "cli/command.h"
#include "node/control.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 1000 };
enum { OPTIONS_MAX = 32, STATE_OPTION = 1000, JSON_OPTION, HELP_OPTION };

static const struct option_spec common_options[] = {
	{"state", 0, "DIR", "the state folder", NULL},
	{"json", 0, NULL, "output for programs", NULL},
	{"help", 'h', NULL, "this text", NULL},
	{0},
};

static void print_specs(const struct option_spec *options)
{
	for (const struct option_spec *o = options; o && o->name; o++) {
		char left[64];
		snprintf(left, sizeof left, "%s%c%s --%s%s%s", o->letter ? "-" : "", o->letter ? o->letter : ' ', o->letter ? "," : "  ", o->name,
			 o->argument ? "=" : "", o->argument ? o->argument : "");
		printf("  %-26s%s\n", left, o->help);
	}
}

static void print_usage(const struct command *c)
{
	const char *usage = c->usage;
	const char *word = "usage:";
	do {
		int length = strcspn(usage, "\n");
		printf("%s clearview %s%s%.*s\n", word, c->name, length ? " " : "", length, usage);
		word = "   or:";
		usage += length + (usage[length] == '\n');
	} while (*usage);
}

void options_print(const struct command *c, const struct option_spec *options)
{
	print_usage(c);
	printf("\n%c%s.\n", c->summary[0] - 'a' + 'A', c->summary + 1);
	if (c->text)
		printf("\n%s\n", c->text);
	printf("\n");
	print_specs(options);
	print_specs(common_options);
}

static int append_option(struct option *longs, int n, char *letters, const struct option_spec *o, int code)
{
	longs[n] = (struct option){o->name, o->argument ? required_argument : no_argument, NULL, code};
	if (o->letter)
		snprintf(letters + strlen(letters), 4, "%c%s", o->letter, o->argument ? ":" : "");
	return n + 1;
}

static void set(const struct option_spec *o)
{
	if (o->argument)
		*(const char **)o->value = optarg;
	else
		*(bool *)o->value = true;
}

/* getopt(3) gives a long option's code, or a letter. */
static const struct option_spec *spec_of(const struct option_spec *options, int code)
{
	for (int i = 0; options && options[i].name; i++)
		if (code == i + 256 || (options[i].letter && code == options[i].letter))
			return &options[i];
	return NULL;
}

int options_parse(const char *command, int argc, char **argv, const struct option_spec *options, struct common *common)
{
	struct option longs[OPTIONS_MAX] = {0};
	char letters[4 * OPTIONS_MAX] = ":h";
	int n = 0, code;
	for (int i = 0; options && options[i].name; i++)
		n = append_option(longs, n, letters, &options[i], i + 256);
	for (int i = 0; common_options[i].name; i++)
		longs[n + i] = (struct option){common_options[i].name, common_options[i].argument ? required_argument : no_argument, NULL,
					       STATE_OPTION + i};
	*common = (struct common){0};
	optind = 1;
	while ((code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct option_spec *o = spec_of(options, code);
		if (o)
			set(o);
		else if (code == STATE_OPTION)
			common->state = optarg;
		else if (code == JSON_OPTION)
			common->json = true;
		else if (code == HELP_OPTION || code == 'h') {
			options_print(command_find(command), options);
			exit(finish_output());
		} else
			die(EXIT_CLEARVIEW, "%s: %s %s; `clearview help %s` explains", command, code == ':' ? "something is missing behind" : "there is no option",
			    argv[optind - 1], command);
	}
	return optind;
}

/* What takes longer than a moment is told on a terminal. */
static void await_finishing(const char *folder)
{
	if (control_settle(folder, PATIENCE_MS) != -ETIMEDOUT)
		return;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "waiting for a supervisor that is writing its state ...\n");
	if (control_wait_finishing(folder, CONTROL_TIMEOUT_MS - PATIENCE_MS) == -ETIMEDOUT)
		log_warning("a supervisor is still writing its state; what follows may lack its last part");
}

struct store *state_open(const struct common *common)
{
	struct store *s;
	char folder[PATH_MAX];
	if (!store_folder_path(common->state, folder, sizeof folder))
		await_finishing(folder);
	if (store_open_existing(common->state, &s))
		die(EXIT_CLEARVIEW, "%s", store_error(NULL));
	return s;
}

void state_must(struct store *s, int error)
{
	if (error)
		die(EXIT_CLEARVIEW, "%s", store_error(s));
}

uint64_t parse_number(const char *what, const char *text)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, strncmp(text, "0x", 2) ? 10 : 16);
	if (*text < '0' || *text > '9' || *end || errno)
		die(EXIT_CLEARVIEW, "%s must be a number, not \"%s\"", what, text);
	return value;
}

uint64_t parse_id(const char *text)
{
	uint64_t id = parse_number("an id", text);
	if (!id || id > INT64_MAX)
		die(EXIT_CLEARVIEW, "there is no id %s", text);
	return id;
}

static void dump(json_t *json, size_t flags)
{
	if (!json)
		die(EXIT_CLEARVIEW, "out of memory");
	json_dumpf(json, stdout, flags);
	putchar('\n');
	json_decref(json);
}

void print_json(json_t *json)
{
	dump(json, JSON_INDENT(2));
}

void print_json_line(json_t *json)
{
	dump(json, JSON_COMPACT);
}

int finish_output(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	log_error("cannot write the output: %s", strerror(errno));
	return EXIT_CLEARVIEW;
}
