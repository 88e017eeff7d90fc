/* Diagnostics: to stderr for commands, to the state folder's log for supervisors. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* The program's exit codes for its own errors, as env(1) and timeout(1) have them. */
enum { EXIT_CLEARVIEW = 125, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

/* Messages above `level` are dropped. `fd` is where they go from now on; it stays the caller's. */
void log_open(int fd, enum log_level level);
int log_descriptor(void);
void log_message(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_message(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_message(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_DEBUG, __VA_ARGS__)

/* One line on stderr, "clearview: ...", then exit with `status`. */
_Noreturn void die(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
