#include "inject/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/vec.h"

enum { READ_SIZE = 16384 };

static uint64_t number(char **at, unsigned base)
{
	uint64_t value = 0;
	for (;; ++*at) {
		unsigned digit = **at >= '0' && **at <= '9' ? **at - '0' : **at >= 'a' && **at <= 'f' ? **at - 'a' + 10 : 16;
		if (digit >= base)
			return value;
		value = value * base + digit;
	}
}

static bool skip(char **at, char expected)
{
	bool there = **at == expected;
	*at += there;
	return there;
}

/* start-end rwxp offset major:minor inode   path. By hand: this is read at every exec and whenever libraries come or go. */
static bool parse_line(char *line, struct mapping *m)
{
	m->start = number(&line, 16);
	if (!skip(&line, '-'))
		return false;
	m->end = number(&line, 16);
	if (!skip(&line, ' ') || strlen(line) < 5)
		return false;
	m->readable = line[0] == 'r';
	m->writable = line[1] == 'w';
	m->executable = line[2] == 'x';
	m->shared = line[3] == 's';
	line += 5;
	m->file_offset = number(&line, 16);
	if (!skip(&line, ' '))
		return false;
	unsigned major = number(&line, 16);
	if (!skip(&line, ':'))
		return false;
	m->device = makedev(major, number(&line, 16));
	if (!skip(&line, ' '))
		return false;
	m->inode = number(&line, 10);
	while (skip(&line, ' '))
		;
	m->path = line;
	return true;
}

/* The whole file, with a zero behind it. The kernel gives a page or less at a time. */
static char *read_text(int fd)
{
	VEC(char) text = {0};
	ssize_t got;
	do {
		if (text.capacity - text.count < READ_SIZE + 1) {
			text.capacity = text.capacity * 2 + READ_SIZE + 1;
			if (!(text.at = realloc(text.at, text.capacity)))
				abort();
		}
		got = read(fd, text.at + text.count, READ_SIZE);
		text.count += got > 0 ? got : 0;
	} while (got > 0);
	text.at[text.count] = 0;
	return text.at;
}

int maps_read(pid_t pid, struct maps *out)
{
	char name[32], *rest;
	VEC(struct mapping) all = {0};
	struct mapping m;
	snprintf(name, sizeof name, "/proc/%d/maps", pid);
	*out = (struct maps){0};
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	out->text = read_text(fd);
	close(fd);
	rest = out->text;
	for (char *line; (line = strsep(&rest, "\n"));)
		if (parse_line(line, &m))
			vec_push(&all, m);
	out->at = all.at;
	out->count = all.count;
	if (all.count)
		return 0;
	maps_free(out);
	return -ESRCH;
}

void maps_free(struct maps *m)
{
	free(m->at);
	free(m->text);
	*m = (struct maps){0};
}

const struct mapping *maps_find(const struct maps *m, uint64_t address)
{
	for (size_t i = 0; i < m->count; i++)
		if (address >= m->at[i].start && address < m->at[i].end)
			return &m->at[i];
	return NULL;
}

bool maps_free_range(const struct maps *m, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->at[i].start < end && start < m->at[i].end)
			return false;
	return start < end;
}
