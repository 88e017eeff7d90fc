/* Three ways to serve lines over TCP, of which every server here takes one: a line in, a line out. argv[1] is the port of 127.0.0.1. */
#ifndef SURVIVAL_SERVE_H
#define SURVIVAL_SERVE_H

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE = 4096 };

/* Writes the answer, without its newline, into `out` of LINE bytes. */
typedef void answer_line(char *line, char *out);

static inline int serve_listen(const char *port)
{
	struct sockaddr_in a;
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	memset(&a, 0, sizeof a);
	a.sin_family = AF_INET;
	a.sin_port = htons(atoi(port));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 64)) {
		perror("listen");
		exit(1);
	}
	signal(SIGPIPE, SIG_IGN);
	return fd;
}

/* One readable moment of a connection; false: it is over. Lines are short and come whole. */
static inline int serve_once(int fd, answer_line *answer)
{
	char in[LINE], out[LINE + 1];
	ssize_t got = read(fd, in, sizeof in - 1);
	if (got <= 0)
		return 0;
	in[got] = 0;
	in[strcspn(in, "\r\n")] = 0;
	out[0] = 0;
	answer(in, out);
	size_t length = strlen(out);
	out[length++] = '\n';
	return write(fd, out, length) == (ssize_t)length;
}

/* One thread, one epoll. */
static inline void serve_epoll(const char *port, answer_line *answer)
{
	int listener = serve_listen(port), set = epoll_create1(0);
	struct epoll_event e;
	e.events = EPOLLIN;
	e.data.fd = listener;
	epoll_ctl(set, EPOLL_CTL_ADD, listener, &e);
	for (;;) {
		if (epoll_wait(set, &e, 1, -1) < 1)
			continue;
		int fd = e.data.fd;
		if (fd == listener) {
			e.data.fd = accept(listener, NULL, NULL);
			epoll_ctl(set, EPOLL_CTL_ADD, e.data.fd, &e);
		} else if (!serve_once(fd, answer)) {
			close(fd);
		}
	}
}

struct serve_connection {
	int fd;
	answer_line *answer;
};

static inline void *serve_thread(void *argument)
{
	struct serve_connection c = *(struct serve_connection *)argument;
	free(argument);
	while (serve_once(c.fd, c.answer))
		;
	close(c.fd);
	return NULL;
}

/* A thread for each connection. */
static inline void serve_threads(const char *port, answer_line *answer)
{
	int listener = serve_listen(port);
	for (;;) {
		struct serve_connection *c = (struct serve_connection *)malloc(sizeof *c);
		pthread_t thread;
		c->fd = accept(listener, NULL, NULL);
		c->answer = answer;
		if (!pthread_create(&thread, NULL, serve_thread, c))
			pthread_detach(thread);
	}
}

static inline pid_t serve_worker(int listener, answer_line *answer)
{
	pid_t pid = fork();
	if (pid)
		return pid;
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		while (serve_once(fd, answer))
			;
		close(fd);
	}
}

/* A parent and `workers` children, which it replaces when they end. */
static inline void serve_workers(const char *port, answer_line *answer, int workers)
{
	int listener = serve_listen(port);
	while (workers--)
		serve_worker(listener, answer);
	for (;;)
		if (wait(NULL) > 0)
			serve_worker(listener, answer);
}

#endif
