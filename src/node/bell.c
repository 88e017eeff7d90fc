#include "node/bell.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/vec.h"

enum {
	SPINS = 200,
	VAIN_MAX = 64,  /* rings in succession without any work */
	MUTE_MS = 5,
	HELPER = 0,     /* its page */
};
_Static_assert(BELL_PAGES <= FUTEX_WAITV_MAX, "all can be waited for at once");

struct bell_page {
	union {
		struct guest_bell *shared;
		uint8_t *bytes;
	};
	unsigned families;
	uint32_t seen;
	unsigned vain;
	int64_t mute_until_ms; /* 0: is listened to */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static VEC(uint64_t) ready; /* guarded by lock */

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static void ring(struct bell *b)
{
	uint32_t *rings = &b->pages[HELPER].shared->rings;
	__atomic_add_fetch(rings, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, rings, FUTEX_WAKE, 1, NULL, NULL, 0);
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

/* Nobody may take away what is mapped here. */
int bell_make(void)
{
	int fd = memfd_create("clearview-bell", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd >= 0 && !ftruncate(fd, BELL_SIZE) && !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK))
		return fd;
	int error = errno;
	if (fd >= 0)
		close(fd);
	return -error;
}

static int map_pages(struct bell *b)
{
	uint8_t *at = mmap(NULL, BELL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	b->pages = calloc(BELL_PAGES, sizeof *b->pages);
	if (!b->pages)
		abort();
	for (int i = 0; i < BELL_PAGES; i++)
		b->pages[i].bytes = at + i * BELL_PAGE;
	b->pages[HELPER].families = 1;
	return 0;
}

int bell_open(struct bell *b, int fd)
{
	pthread_t thread;
	sigset_t all, before;
	b->fd = fd >= 0 ? fd : bell_make();
	int status = b->fd < 0 ? b->fd : lseek(b->fd, 0, SEEK_END) < BELL_SIZE ? -EPROTO : map_pages(b);
	if (status)
		return status;
	b->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (b->epoll < 0)
		return -errno;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	status = pthread_create(&thread, NULL, poll_descriptors, b);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -status;
}

/* The page that the fewest share. Where the kernel can't wait for several futexes, that of the helper. */
uint64_t bell_take(struct bell *b)
{
	unsigned best = 1;
	if (syscall(SYS_futex_waitv, NULL, 0, 0, NULL, 0) && errno == ENOSYS)
		return HELPER;
	for (unsigned i = 1; i < BELL_PAGES; i++)
		if (b->pages[i].families < b->pages[best].families)
			best = i;
	b->pages[best].families++;
	return best * (uint64_t)BELL_PAGE;
}

int bell_claim(struct bell *b, uint64_t offset)
{
	if (offset % BELL_PAGE || offset >= BELL_SIZE)
		return -EPROTO;
	b->pages[offset / BELL_PAGE].families++;
	return 0;
}

void bell_give_back(struct bell *b, uint64_t offset)
{
	b->pages[offset / BELL_PAGE].families--;
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

static uint32_t rings(const struct bell_page *p)
{
	return __atomic_load_n(&p->shared->rings, __ATOMIC_SEQ_CST);
}

/* The pages that somebody rings and that are listened to, in `out`. */
static unsigned audible(struct bell *b, struct bell_page *out[BELL_PAGES])
{
	unsigned count = 0;
	for (int i = 0; i < BELL_PAGES; i++)
		if (b->pages[i].families && !b->pages[i].mute_until_ms)
			out[count++] = &b->pages[i];
	return count;
}

/* True: some are still mute. */
static bool unmute(struct bell *b)
{
	bool any = false;
	int64_t now = 0;
	for (int i = 0; i < BELL_PAGES; i++) {
		struct bell_page *p = &b->pages[i];
		if (!p->mute_until_ms)
			continue;
		now = now ? now : now_ms();
		if (now >= p->mute_until_ms)
			p->mute_until_ms = 0;
		any |= p->mute_until_ms != 0;
	}
	return any;
}

static void note_vain(struct bell *b, struct bell_page *p)
{
	if (p == &b->pages[HELPER] || p->vain++ < VAIN_MAX)
		return;
	p->vain = 0;
	p->mute_until_ms = now_ms() + MUTE_MS;
}

void bell_listen(struct bell *b)
{
	for (int i = 0; i < BELL_PAGES; i++)
		if (b->pages[i].families)
			b->pages[i].seen = rings(&b->pages[i]);
}

void bell_answered(struct bell *b, uint64_t offset)
{
	b->pages[offset / BELL_PAGE].vain = 0;
}

/* The first that has been rung; NULL: none. */
static struct bell_page *rung(struct bell_page *const pages[], unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (rings(pages[i]) != pages[i]->seen)
			return pages[i];
	return NULL;
}

static void sleep_on(struct bell_page *const pages[], unsigned count, unsigned milliseconds)
{
	struct timespec now, until;
	struct futex_waitv wait[BELL_PAGES];
	if (count == 1) {
		struct timespec timeout = {milliseconds / 1000, milliseconds % 1000 * 1000000l};
		syscall(SYS_futex, &pages[0]->shared->rings, FUTEX_WAIT, pages[0]->seen, &timeout, NULL, 0);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t end_ns = now.tv_nsec + milliseconds * 1000000ll;
	until = (struct timespec){now.tv_sec + end_ns / 1000000000, end_ns % 1000000000};
	for (unsigned i = 0; i < count; i++)
		wait[i] = (struct futex_waitv){.val = pages[i]->seen, .uaddr = (uintptr_t)&pages[i]->shared->rings, .flags = FUTEX_32};
	syscall(SYS_futex_waitv, wait, count, 0, &until, CLOCK_MONOTONIC);
}

static void say_sleeping(struct bell_page *const pages[], unsigned count, bool sleeping)
{
	for (unsigned i = 0; i < count; i++)
		__atomic_store_n(&pages[i]->shared->sleeping, sleeping, __ATOMIC_SEQ_CST);
}

void bell_wait(struct bell *b, unsigned milliseconds)
{
	struct bell_page *pages[BELL_PAGES], *by;
	if (unmute(b) && milliseconds > MUTE_MS)
		milliseconds = MUTE_MS;
	unsigned count = audible(b, pages);
	for (int i = 0; i < SPINS; i++)
		if ((by = rung(pages, count))) {
			note_vain(b, by); /* unless there turns out to be work */
			return;
		}
	say_sleeping(pages, count, true);
	if (!rung(pages, count))
		sleep_on(pages, count, milliseconds);
	say_sleeping(pages, count, false);
	if ((by = rung(pages, count)))
		note_vain(b, by);
}
