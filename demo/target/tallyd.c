/* tallyd: a small server of registers for the demo. Clients hold a connection each and send lines; every line gets one line back.
 *
 *     HELLO            session ID             SET I V     ok                  QUOTE TEXT   TEXT with <, > and & written for HTML
 *     BASE 10|16|8     ok                     ADD I J     register I += J     TOTAL        sum of the registers
 *     GET I            register I in the base chosen                          QUIT
 *
 * Ordinary code with two defects of the ordinary kind, for an attacker to find; the demo's exploits are in ../exploits.py. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SESSIONS = 24, REGISTERS = 8, LINE = 2048, REPLY = 16384 };

struct session;
typedef int formatter(char *out, size_t size, int64_t value);

struct session {
	int fd;
	size_t used;
	char line[LINE];
	int64_t reg[REGISTERS];
	formatter *show;         /* how GET writes a register */
	uint64_t requests, shown;
	char *quoted;            /* the last QUOTE, kept until the next one */
	size_t quoted_size;
};

static int show_decimal(char *out, size_t size, int64_t value)
{
	return snprintf(out, size, "%lld\n", (long long)value);
}

static int show_hexadecimal(char *out, size_t size, int64_t value)
{
	return snprintf(out, size, "0x%llx\n", (long long)value);
}

static int show_octal(char *out, size_t size, int64_t value)
{
	return snprintf(out, size, "0%llo\n", (long long)value);
}

static int say(char *out, size_t size, const char *words)
{
	return snprintf(out, size, "%s\n", words);
}

/* --- The commands. Each writes its reply and returns its length. */

static int do_hello(struct session *s, char *args, char *out, size_t size)
{
	/* The session's address is as good as any other number that nobody else has. */
	return snprintf(out, size, "session %lx\n", (unsigned long)(uintptr_t)s);
}

static int do_base(struct session *s, char *args, char *out, size_t size)
{
	switch (atoi(args)) {
	case 10: s->show = show_decimal; break;
	case 16: s->show = show_hexadecimal; break;
	case 8: s->show = show_octal; break;
	default: return say(out, size, "error base");
	}
	return say(out, size, "ok");
}

static int do_set(struct session *s, char *args, char *out, size_t size)
{
	char *rest;
	long index = strtol(args, &rest, 10);

	if (index < 0 || index > REGISTERS)     /* the first defect: should be >= */
		return say(out, size, "error register");
	s->reg[index] = strtoll(rest, NULL, 10);
	return say(out, size, "ok");
}

static int do_add(struct session *s, char *args, char *out, size_t size)
{
	char *rest;
	unsigned long to = strtoul(args, &rest, 10), from = strtoul(rest, NULL, 10);

	if (to >= REGISTERS || from >= REGISTERS)
		return say(out, size, "error register");
	s->reg[to] += s->reg[from];
	return say(out, size, "ok");
}

static int do_get(struct session *s, char *args, char *out, size_t size)
{
	unsigned long index = strtoul(args, NULL, 10);

	if (index >= REGISTERS)
		return say(out, size, "error register");
	int length = s->show(out, size, s->reg[index]);
	s->shown += length;
	return length;
}

static int do_total(struct session *s, char *args, char *out, size_t size)
{
	int64_t total = 0;

	for (int i = 0; i < REGISTERS; i++)
		total += s->reg[i];
	return show_decimal(out, size, total);
}

/* How long the text is once it is written for HTML. */
static size_t quoted_length(const char *text)
{
	size_t length = 0;

	for (; *text; text++)
		length += *text == '&' ? 5 : *text == '<' ? 4 : 1;      /* the second defect: '>' grows too */
	return length;
}

static void quote(char *to, const char *text)
{
	for (; *text; text++) {
		const char *written = *text == '&' ? "&amp;" : *text == '<' ? "&lt;" : *text == '>' ? "&gt;" : NULL;
		if (!written) {
			*to++ = *text;
			continue;
		}
		while (*written)
			*to++ = *written++;
	}
	*to = 0;
}

static int do_quote(struct session *s, char *args, char *out, size_t size)
{
	free(s->quoted);
	s->quoted_size = quoted_length(args) + 1;
	s->quoted = malloc(s->quoted_size);
	if (!s->quoted)
		return say(out, size, "error memory");
	quote(s->quoted, args);
	return say(out, size, s->quoted);
}

static const struct {
	const char *name;
	int (*act)(struct session *, char *, char *, size_t);
} commands[] = {
	{ "HELLO", do_hello }, { "BASE", do_base }, { "SET", do_set }, { "ADD", do_add }, { "GET", do_get }, { "TOTAL", do_total }, { "QUOTE", do_quote },
};

static int obey(struct session *s, char *line, char *out, size_t size)
{
	size_t length = strcspn(line, " ");
	char *args = line[length] ? line + length + 1 : line + length;

	s->requests++;
	for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strlen(commands[i].name) == length && !memcmp(commands[i].name, line, length))
			return commands[i].act(s, args, out, size);
	return say(out, size, "error command");
}

/* --- Connections. */

static void session_close(struct session *s)
{
	close(s->fd);
	free(s->quoted);
	s->quoted = NULL;
	s->fd = -1;
}

static void session_open(struct session *all, int fd)
{
	for (int i = 0; i < SESSIONS; i++)
		if (all[i].fd < 0) {
			memset(&all[i], 0, sizeof all[i]);
			all[i].fd = fd;
			all[i].show = show_decimal;
			return;
		}
	close(fd);
}

/* Answers the whole lines in the buffer. -1: the connection is over. */
static int answer_lines(struct session *s)
{
	static char out[REPLY];
	char *end;

	while ((end = memchr(s->line, '\n', s->used))) {
		size_t length = end + 1 - s->line;
		*end = 0;
		if (!strcmp(s->line, "QUIT"))
			return -1;
		int n = obey(s, s->line, out, sizeof out);
		if (n > (int)sizeof out - 1)
			n = sizeof out - 1;
		if (send(s->fd, out, n, MSG_NOSIGNAL) != n)
			return -1;
		memmove(s->line, s->line + length, s->used - length);
		s->used -= length;
	}
	return s->used == LINE ? -1 : 0;
}

static void session_read(struct session *s)
{
	ssize_t n = recv(s->fd, s->line + s->used, LINE - s->used, 0);

	if (n <= 0) {
		session_close(s);
		return;
	}
	s->used += n;
	if (answer_lines(s) < 0)
		session_close(s);
}

static int serve(int listener)
{
	struct session sessions[SESSIONS];
	struct pollfd fds[SESSIONS + 1];

	for (int i = 0; i < SESSIONS; i++)
		sessions[i].fd = -1;
	for (;;) {
		fds[SESSIONS] = (struct pollfd){ listener, POLLIN, 0 };
		for (int i = 0; i < SESSIONS; i++)
			fds[i] = (struct pollfd){ sessions[i].fd, POLLIN, 0 };
		if (poll(fds, SESSIONS + 1, -1) < 0 && errno != EINTR)
			return 1;
		for (int i = 0; i < SESSIONS; i++)
			if (sessions[i].fd >= 0 && fds[i].revents)
				session_read(&sessions[i]);
		if (fds[SESSIONS].revents & POLLIN)
			session_open(sessions, accept(listener, NULL, NULL));
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 7070), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 32) < 0) {
		perror("tallyd");
		return 1;
	}
	return serve(listener);
}
