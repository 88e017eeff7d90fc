/* The actions of clearview patches: rows of a table in patches.c. */
#ifndef CLI_PATCHES_H
#define CLI_PATCHES_H

#include "cli/command.h"

struct patch_action {
	const char *name;
	int (*operate)(struct store *s, uint64_t patch); /* for those that change single patches; NULL: run */
	const char *done;
	int (*run)(const struct common *common, int count, char **operands); /* returns the exit code */
};

/* patches_change.c */
int patches_change(const struct common *common, const struct patch_action *action, int count, char **operands);
/* Tells the supervisors of a change and says where it is in force. Returns the exit code. */
int patches_spread(struct store *s, const struct common *common, json_t *changes);
/* patches_file.c */
int patches_export(const struct common *common, int count, char **operands);
int patches_import(const struct common *common, int count, char **operands);

#endif
