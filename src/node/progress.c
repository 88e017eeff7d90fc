#include "node/progress.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 1000, EVERY_MS = 200 };

static int terminal_fd = -1;
static int64_t next_ms;
static bool shown;

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

void progress_open(const char *terminal)
{
	terminal_fd = terminal ? open(terminal, O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK) : -1;
	next_ms = now_ms() + PATIENCE_MS;
	shown = false;
}

void progress(const char *what, const char *name, size_t done, size_t total)
{
	const char *slash = strrchr(name, '/');
	if (terminal_fd < 0 || now_ms() < next_ms)
		return;
	next_ms = now_ms() + EVERY_MS;
	shown = true;
	if (total)
		dprintf(terminal_fd, "\r\033[Kclearview: %s %s: %zu of %zu procedures", what, slash ? slash + 1 : name, done, total);
	else
		dprintf(terminal_fd, "\r\033[Kclearview: %s %s: %zu procedures", what, slash ? slash + 1 : name, done);
}

void progress_close(void)
{
	if (terminal_fd < 0)
		return;
	if (shown)
		dprintf(terminal_fd, "\r\033[K");
	close(terminal_fd);
	terminal_fd = -1;
}
