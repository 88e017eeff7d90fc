/* What the supervisor waits on: futexes that guests ring, and one that a helper thread rings when a file descriptor is ready. All other work is done by
 * one thread.
 *
 * Each family has a bell of its own, a page of one memfd, so that one that misuses its bell neither silences the others' nor keeps the supervisor
 * awake. */
#ifndef NODE_BELL_H
#define NODE_BELL_H

#include <clearview/guest.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct bell_page;

struct bell {
	int fd;                   /* memfd of BELL_SIZE bytes: a page a family, the first one the helper's */
	struct bell_page *pages;
	int epoll;
};

enum { BELL_PAGE = 4096, BELL_PAGES = 96, BELL_SIZE = BELL_PAGE * BELL_PAGES };

/* The memfd alone, or -errno. */
int bell_make(void);
/* fd: of the bells that the guests of a former supervisor have mapped, -1: new ones. */
int bell_open(struct bell *b, int fd) __attribute__((warn_unused_result));
/* A bell for a family: its offset in the memfd. Beyond the BELL_PAGES-th, families share. offset of bell_claim: the one that an adopted family has. */
uint64_t bell_take(struct bell *b);
int bell_claim(struct bell *b, uint64_t offset) __attribute__((warn_unused_result));
void bell_give_back(struct bell *b, uint64_t offset);
/* Rings when fd becomes readable, once; then bell_ready hands out `token`. Watch again to hear again. */
int bell_watch(struct bell *b, int fd, uint64_t token);
void bell_unwatch(struct bell *b, int fd);
bool bell_ready(struct bell *b, uint64_t *token);
/* Before looking for work. */
void bell_listen(struct bell *b);
/* There was work for the family. A bell that rings on and on with none isn't listened to for some milliseconds. */
void bell_answered(struct bell *b, uint64_t offset);
/* Sleeps until one has been rung since bell_listen, or the time is up. */
void bell_wait(struct bell *b, unsigned milliseconds);

#endif
