#include "repair/journal.h"

#include <stdarg.h>
#include <stdio.h>

int journal(struct store *s, const char *kind, uint64_t location, uint64_t patch, pid_t pid, int64_t time_us, const char *format, ...)
{
	struct event e = {.time_us = time_us, .location = location, .patch = patch, .pid = pid};
	va_list args;
	snprintf(e.kind, sizeof e.kind, "%s", kind);
	va_start(args, format);
	vsnprintf(e.text, sizeof e.text, format, args);
	va_end(args);
	return store_event_add(s, &e);
}
