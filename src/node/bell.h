/* What the supervisor waits on: one futex that guests ring, and that a helper thread rings when a file descriptor is ready. All other work is done by
 * one thread. */
#ifndef NODE_BELL_H
#define NODE_BELL_H

#include <clearview/guest.h>
#include <stdbool.h>
#include <sys/types.h>

struct bell {
	int fd;                   /* memfd, mapped by the guests */
	struct guest_bell *shared;
	int epoll;
};

/* fd: of the bell that the guests of a former supervisor have mapped, -1: a new one. */
int bell_open(struct bell *b, int fd) __attribute__((warn_unused_result));
/* Rings when fd becomes readable, once; then bell_ready hands out `token`. Watch again to hear again. */
int bell_watch(struct bell *b, int fd, uint64_t token);
void bell_unwatch(struct bell *b, int fd);
bool bell_ready(struct bell *b, uint64_t *token);
/* Sleeps until rung since `seen` was read, or the time is up. */
uint32_t bell_rings(const struct bell *b);
void bell_wait(struct bell *b, uint32_t seen, unsigned milliseconds);

#endif
