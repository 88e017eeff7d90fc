/* Times and names as people read them. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include "node/store.h"

#include <stddef.h>

enum { TEXT_SIZE = 512 };

/* "12 s ago", "3 min ago", ... of a CLOCK_REALTIME time in microseconds; "never" for 0. */
const char *text_ago(int64_t time_us, char out[TEXT_SIZE]);
/* "2026-11-23 16:20:40.123", local time. */
const char *text_time(int64_t time_us, char out[TEXT_SIZE]);
/* What cannot be shown on a terminal becomes '?': names and texts may come from the guarded program. */
const char *text_printable(const char *text, char out[TEXT_SIZE]);
/* What stands behind the last slash. */
const char *text_base_name(const char *path);
/* "crash (SIGSEGV)" */
const char *text_monitor(const struct failure *f, char out[TEXT_SIZE]);
/* "kept", "kept, pinned" */
const char *text_patch_state(const struct patch *p, char out[TEXT_SIZE]);
/* The module's file name without folders, or the start of its key. */
const char *text_module(struct store *s, const struct module_key *key, char out[TEXT_SIZE]);

#endif
