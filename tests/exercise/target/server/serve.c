/* serve.c - connections (see serve.h). Every loop owns its connections; nothing here is shared. */
#include "serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buf.h"
#include "http.h"
#include "site.h"

#define MAX_CONNECTIONS 64

struct conn {
	int fd;
	int closing;           /* after the reply is out */
	struct buf in, out;
	size_t sent;
};

struct loop {
	int listener;
	int count;
	struct conn *conns[MAX_CONNECTIONS];
};

int serve_listen(int *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)*port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int yes = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0) {
		close(fd);
		return -1;
	}
	*port = ntohs(at.sin_port);
	return fd;
}

static void conn_accept(struct loop *loop)
{
	int fd = accept4(loop->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct conn *c;
	int yes = 1;

	if (fd < 0)
		return;
	c = calloc(1, sizeof *c);
	if (c == NULL) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	c->fd = fd;
	loop->conns[loop->count++] = c;
}

static void conn_close(struct loop *loop, int i)
{
	struct conn *c = loop->conns[i];

	close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
	loop->conns[i] = loop->conns[--loop->count];
}

/* Returns -1 when the connection is over. */
static int conn_write(struct conn *c)
{
	while (c->sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		c->sent += (size_t)n;
	}
	buf_free(&c->out);
	c->sent = 0;
	return c->closing ? -1 : 0;
}

static int conn_answer(struct conn *c)
{
	struct request req;
	size_t done = 0;
	long n;

	while ((n = http_parse(c->in.data + done, c->in.len - done, &req)) > 0) {
		site_answer(&req, &c->out);
		c->closing |= !req.keep_alive;
		done += (size_t)n;
	}
	if (n < 0) {
		buf_str(&c->out, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
		c->closing = 1;
	}
	if (done == c->in.len)
		buf_free(&c->in);
	else
		buf_drop(&c->in, done);
	return conn_write(c);
}

static int conn_read(struct conn *c)
{
	char part[16384];
	ssize_t n = recv(c->fd, part, sizeof part, 0);

	if (n == 0)
		return -1;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	buf_add(&c->in, part, (size_t)n);
	return conn_answer(c);
}

static int loop_wait(struct loop *loop, struct pollfd *fds)
{
	for (int i = 0; i < loop->count; i++) {
		fds[i].fd = loop->conns[i]->fd;
		fds[i].events = loop->conns[i]->out.len ? POLLOUT : POLLIN;
	}
	fds[loop->count].fd = loop->count < MAX_CONNECTIONS ? loop->listener : -1;
	fds[loop->count].events = POLLIN;
	return poll(fds, (nfds_t)loop->count + 1, -1);
}

void serve_loop(int listener)
{
	struct loop loop = { .listener = listener };
	struct pollfd fds[MAX_CONNECTIONS + 1];

	for (;;) {
		int count = loop.count;

		if (loop_wait(&loop, fds) < 0)
			continue;
		for (int i = count - 1; i >= 0; i--) {
			if (fds[i].revents == 0)
				continue;
			if ((fds[i].revents & POLLOUT ? conn_write(loop.conns[i])
						      : conn_read(loop.conns[i])) < 0)
				conn_close(&loop, i);
		}
		if (fds[count].revents & POLLIN)
			conn_accept(&loop);
	}
}
