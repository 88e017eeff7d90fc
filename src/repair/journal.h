/* The repair engine's entries in the store's event log: what it decided and why, as text. */
#ifndef REPAIR_JOURNAL_H
#define REPAIR_JOURNAL_H

#include "repair/private.h"

#define JOURNAL_TRANSITION "transition"
#define JOURNAL_FAILURE    "failure"
#define JOURNAL_PATCH      "patch"
#define JOURNAL_CHECK      "check"
#define JOURNAL_ACTIVATION "activation" /* opens a trial; a restarted supervisor finds open trials by it */
#define JOURNAL_BLAME      "blame"      /* location: where a failure was put down to `patch`, which acts elsewhere */

int journal(struct store *s, const char *kind, uint64_t location, uint64_t patch, pid_t pid, int64_t time_us, const char *format, ...)
	__attribute__((format(printf, 7, 8)));

#endif
