/* A command: a row of the table in commands.c, and a file of its own. Options are declared once; parsing and help come from the declaration. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/log.h"
#include "node/store.h"

#include <jansson.h>
#include <stdbool.h>

struct command {
	const char *name;
	const char *usage;   /* what stands behind the name; several forms are separated by newlines */
	const char *summary; /* one line */
	const char *text;    /* further paragraphs of its help, or NULL */
	int (*run)(int argc, char **argv); /* returns the exit code */
};

extern const struct command commands[]; /* ends with a NULL name */
const struct command *command_find(const char *name);

int command_run(int argc, char **argv);
int command_attach(int argc, char **argv);
int command_detach(int argc, char **argv);
int command_adopt(int argc, char **argv);
int command_ps(int argc, char **argv);
int command_failures(int argc, char **argv);
int command_patches(int argc, char **argv);
int command_invariants(int argc, char **argv);
int command_events(int argc, char **argv);
int command_report(int argc, char **argv);

struct option_spec {
	const char *name;
	char letter;          /* 0: none */
	const char *argument; /* its name in the help; NULL: a flag */
	const char *help;
	void *value;          /* bool * for flags, const char ** otherwise */
};

/* --state and --json, which all commands have; set by options_parse(). */
struct common {
	const char *state; /* NULL: by the rules of store_folder_path() */
	bool json;
};

/* Returns the index of the first operand; options may stand anywhere. --help prints and exits 0, what is wrong is told in one line and exits
 * 125. `options` ends with a NULL name. */
int options_parse(const char *command, int argc, char **argv, const struct option_spec *options, struct common *common);
void options_print(const struct command *c, const struct option_spec *options);

/* Waits for supervisors that are still writing, and opens the state, which must exist; otherwise one line, exit 125. */
struct store *state_open(const struct common *common);
/* Ends the command with the store's reason when `error` is not 0. */
void state_must(struct store *s, int error);
/* "12" as a row number; otherwise one line, exit 125. */
uint64_t parse_id(const char *text);
/* Whole numbers, also hexadecimal with 0x; otherwise one line, exit 125. `what` names it there. */
uint64_t parse_number(const char *what, const char *text);
/* Prints and frees it. */
void print_json(json_t *json);
void print_json_line(json_t *json);
/* Flushes stdout: 0, or 125 with one line when not all could be written. */
int finish_output(void);

#endif
