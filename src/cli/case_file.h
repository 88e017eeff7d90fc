/* Everything the state knows about one failure: what `failures ID` and `report` show. */
#ifndef CLI_CASE_FILE_H
#define CLI_CASE_FILE_H

#include "base/vec.h"
#include "node/store.h"

#include <jansson.h>

enum { OUTCOME_SIZE = 32 };

struct occurrence {
	struct failure failure;
	char outcome[OUTCOME_SIZE];
};

struct case_file {
	struct store *store; /* the caller's */
	struct location location;
	VEC(struct occurrence) occurrences; /* newest first */
	VEC(struct check) checks;           /* most correlated first */
	VEC(struct patch) patches;          /* in ranking order */
	VEC(struct event) events;           /* oldest first */
};

/* 0 or the store's error (-ENOENT: no such failure). */
int case_file_load(struct store *s, uint64_t location, struct case_file *out);
void case_file_free(struct case_file *c);

/* Sections of text: the head, then those with titles. */
void case_file_print_head(const struct case_file *c);
void case_file_print_occurrences(const struct case_file *c, size_t limit);
void case_file_print_checks(const struct case_file *c);
void case_file_print_patches(const struct case_file *c);
void case_file_print_events(const struct case_file *c);
json_t *case_file_to_json(const struct case_file *c);

/* A patch of the list that is in force, or NULL. */
const struct patch *case_file_in_force(const struct case_file *c);

#endif
