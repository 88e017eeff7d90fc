#include "node/bell.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/vec.h"

enum { SPINS = 200 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static VEC(uint64_t) ready; /* guarded by lock */

static void ring(struct bell *b)
{
	__atomic_add_fetch(&b->shared->rings, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &b->shared->rings, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void *poll_descriptors(void *context)
{
	struct bell *b = context;
	struct epoll_event events[16];
	for (;;) {
		int n = epoll_wait(b->epoll, events, 16, -1);
		pthread_mutex_lock(&lock);
		for (int i = 0; i < n; i++)
			vec_push(&ready, events[i].data.u64);
		pthread_mutex_unlock(&lock);
		if (n > 0)
			ring(b);
	}
	return NULL;
}

int bell_open(struct bell *b, int fd)
{
	pthread_t thread;
	sigset_t all, before;
	b->fd = fd >= 0 ? fd : memfd_create("clearview-bell", MFD_CLOEXEC);
	if (b->fd < 0 || (fd < 0 && ftruncate(b->fd, 4096)))
		return -errno;
	b->shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0);
	b->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (b->shared == MAP_FAILED || b->epoll < 0)
		return -errno;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int status = pthread_create(&thread, NULL, poll_descriptors, b);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -status;
}

int bell_watch(struct bell *b, int fd, uint64_t token)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = token};
	if (!epoll_ctl(b->epoll, EPOLL_CTL_ADD, fd, &e))
		return 0;
	return errno == EEXIST && !epoll_ctl(b->epoll, EPOLL_CTL_MOD, fd, &e) ? 0 : -errno;
}

void bell_unwatch(struct bell *b, int fd)
{
	epoll_ctl(b->epoll, EPOLL_CTL_DEL, fd, NULL);
}

bool bell_ready(struct bell *b, uint64_t *token)
{
	pthread_mutex_lock(&lock);
	bool any = ready.count;
	if (any)
		*token = ready.at[--ready.count];
	pthread_mutex_unlock(&lock);
	return any;
}

uint32_t bell_rings(const struct bell *b)
{
	return __atomic_load_n(&b->shared->rings, __ATOMIC_SEQ_CST);
}

void bell_wait(struct bell *b, uint32_t seen, unsigned milliseconds)
{
	struct timespec timeout = {milliseconds / 1000, milliseconds % 1000 * 1000000l};
	for (int i = 0; i < SPINS; i++)
		if (bell_rings(b) != seen)
			return;
	__atomic_store_n(&b->shared->sleeping, 1, __ATOMIC_SEQ_CST);
	if (bell_rings(b) == seen)
		syscall(SYS_futex, &b->shared->rings, FUTEX_WAIT, seen, &timeout, NULL, 0);
	__atomic_store_n(&b->shared->sleeping, 0, __ATOMIC_SEQ_CST);
}
