#include "repair/json_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_reader_init(struct json_reader *r, char *reason, size_t size)
{
	*r = (struct json_reader){.reason = reason, .reason_size = size};
	if (size)
		*reason = 0;
}

void json_reader_fail(struct json_reader *r, const char *name, const char *format, ...)
{
	char what[160];
	va_list args;
	if (r->failed)
		return;
	r->failed = true;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	snprintf(r->reason, r->reason_size, "%s%s%s%s%s", r->path, *r->path && *name ? "." : "", name, *r->path || *name ? " " : "", what);
}

/* Names come from the file: what is not printable must not reach a terminal. */
static void quote(const char *name, char out[48])
{
	size_t i = 0;
	for (; name[i] && i < 40; i++)
		out[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
	strcpy(out + i, name[i] ? "..." : "");
}

bool json_object_begin(struct json_reader *r, const json_t *json, const char *const *names)
{
	const char *key;
	json_t *value;
	if (r->failed)
		return false;
	if (!json_is_object(json)) {
		json_reader_fail(r, "", *r->path ? "must be an object" : "not a JSON object");
		return false;
	}
	json_object_foreach((json_t *)json, key, value) {
		size_t i = 0;
		while (names[i] && strcmp(names[i], key))
			i++;
		if (!names[i]) {
			char name[48];
			quote(key, name);
			json_reader_fail(r, name, "is not known");
			return false;
		}
	}
	return true;
}

static const json_t *member(struct json_reader *r, const json_t *object, const char *name, bool required)
{
	if (r->failed)
		return NULL;
	const json_t *value = json_object_get(object, name);
	if (!value && required)
		json_reader_fail(r, name, "is missing");
	return value;
}

const json_t *json_enter(struct json_reader *r, const json_t *object, const char *name, bool required)
{
	const json_t *value = member(r, object, name, required);
	if (!value)
		return NULL;
	int length = snprintf(r->path + r->path_length, sizeof r->path - r->path_length, "%s%s", r->path_length ? "." : "", name);
	r->path_length += length;
	return value;
}

void json_leave(struct json_reader *r)
{
	char *dot = strrchr(r->path, '.');
	r->path_length = dot ? (size_t)(dot - r->path) : 0;
	r->path[r->path_length] = 0;
}

bool json_number(struct json_reader *r, const json_t *object, const char *name, bool required, int64_t min, int64_t max, int64_t *out)
{
	const json_t *value = member(r, object, name, required);
	if (!value)
		return false;
	if (!json_is_integer(value))
		json_reader_fail(r, name, "must be a whole number");
	else if (json_integer_value(value) < min || json_integer_value(value) > max)
		json_reader_fail(r, name, "is %lld, must be %lld to %lld", (long long)json_integer_value(value), (long long)min, (long long)max);
	else
		*out = json_integer_value(value);
	return !r->failed;
}

bool json_hex(struct json_reader *r, const json_t *object, const char *name, bool required, uint64_t max, uint64_t *out)
{
	const char *text = json_text(r, object, name, required);
	if (!text)
		return false;
	size_t digits = strncmp(text, "0x", 2) ? 0 : strspn(text + 2, "0123456789abcdef");
	if (!digits || digits > 16 || text[2 + digits])
		json_reader_fail(r, name, "must be a hexadecimal number like \"0x1a2b\"");
	else if (strtoull(text, NULL, 16) > max)
		json_reader_fail(r, name, "is %s, must be at most 0x%llx", text, (unsigned long long)max);
	else
		*out = strtoull(text, NULL, 16);
	return !r->failed;
}

bool json_flag(struct json_reader *r, const json_t *object, const char *name)
{
	const json_t *value = member(r, object, name, false);
	if (value && !json_is_boolean(value))
		json_reader_fail(r, name, "must be true or false");
	return json_is_true(value);
}

bool json_name(struct json_reader *r, const json_t *object, const char *name, bool required, const char *const *table, size_t count, uint8_t *out)
{
	const char *text = json_text(r, object, name, required);
	char shown[48];
	if (!text)
		return false;
	for (size_t i = 0; i < count; i++)
		if (table[i] && !strcmp(table[i], text)) {
			*out = i;
			return true;
		}
	quote(text, shown);
	json_reader_fail(r, name, "\"%s\" is not known", shown);
	return false;
}

const char *json_text(struct json_reader *r, const json_t *object, const char *name, bool required)
{
	const json_t *value = member(r, object, name, required);
	if (value && !json_is_string(value))
		json_reader_fail(r, name, "must be a string");
	return r->failed ? NULL : json_string_value(value);
}
