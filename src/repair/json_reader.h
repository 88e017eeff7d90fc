/* Strict reading of JSON objects into structs: the first thing that is wrong is kept, with the path of the member ("patch.at.offset: ..."),
 * and everything after it is skipped. So readers are written without a test behind every line. */
#ifndef REPAIR_JSON_READER_H
#define REPAIR_JSON_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_reader {
	char path[160];
	size_t path_length;
	char *reason;
	size_t reason_size;
	bool failed;
};

void json_reader_init(struct json_reader *r, char *reason, size_t size);
void json_reader_fail(struct json_reader *r, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Is it an object with no members but these? `names` ends with NULL. */
bool json_object_begin(struct json_reader *r, const json_t *json, const char *const *names);
/* A member that is an object: NULL when it is missing (an error if required). While it is read, errors are told with its name in front. */
const json_t *json_enter(struct json_reader *r, const json_t *object, const char *name, bool required);
void json_leave(struct json_reader *r);

/* Members. The bool versions without `required` return whether it was there. */
bool json_number(struct json_reader *r, const json_t *object, const char *name, bool required, int64_t min, int64_t max, int64_t *out);
bool json_hex(struct json_reader *r, const json_t *object, const char *name, bool required, uint64_t max, uint64_t *out);
bool json_flag(struct json_reader *r, const json_t *object, const char *name);
/* A string that is one of the table's names: its index. NULLs in the table match nothing. */
bool json_name(struct json_reader *r, const json_t *object, const char *name, bool required, const char *const *table, size_t count, uint8_t *out);
const char *json_text(struct json_reader *r, const json_t *object, const char *name, bool required);

#endif
