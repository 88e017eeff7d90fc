#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int log_fd = STDERR_FILENO;
static enum log_level log_max = LOG_WARNING;

void log_open(int fd, enum log_level level)
{
	log_fd = fd;
	log_max = level;
}

int log_descriptor(void)
{
	return log_fd;
}

void log_message(enum log_level level, const char *format, ...)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};
	if (level > log_max)
		return;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (log_fd == STDERR_FILENO)
		dprintf(log_fd, "clearview: %s: %s\n", names[level], text);
	else
		dprintf(log_fd, "%lld.%06ld %d %s: %s\n", (long long)now.tv_sec, now.tv_nsec / 1000, getpid(), names[level], text);
}

void die(int status, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	dprintf(STDERR_FILENO, "clearview: %s\n", text);
	exit(status);
}
