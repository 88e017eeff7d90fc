/* Cancellation in every kind of wait, deferred and asynchronous, through frames of C and C++: destructors and cleanup handlers run, mutexes are taken again; pthread_exit
 * from deep inside; cancellation disabled for a while.
 * build: -O2
 * build: -O2 -static
 * build: -O0
 */
#include <cstdio>
#include <cstdlib>
#include <pthread.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(c) do { if (!(c)) { std::printf("%d: not true: %s\n", __LINE__, #c); std::fflush(stdout); std::_Exit(99); } } while (0)

static int pipes[2], pair[2];
static sem_t never, started;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int destroyed, cleaned;
static volatile long spun;
static volatile bool sent; /* the request */

struct Counted { ~Counted() { destroyed++; } };
static void cleanup(void *) { cleaned++; }
static void unlock(void *) { pthread_mutex_unlock(&lock); }

static void in_read() { char c; (void)!read(pipes[0], &c, 1); }
static void in_recv() { char c; recv(pair[0], &c, 1, 0); }
static void in_sem() { sem_wait(&never); }
static void in_poll() { struct pollfd p = {pipes[0], POLLIN, 0}; poll(&p, 1, -1); }
static void in_select() { fd_set s; FD_ZERO(&s); FD_SET(pipes[0], &s); select(pipes[0] + 1, &s, nullptr, nullptr, nullptr); }
static void in_sleep() { struct timespec t = {1000, 0}; nanosleep(&t, nullptr); }
static void in_pause() { pause(); }
static void in_suspend() { sigset_t s; sigemptyset(&s); sigsuspend(&s); }
static void in_test() { for (;;) pthread_testcancel(); }
static void in_condition()
{
	pthread_mutex_lock(&lock);
	pthread_cleanup_push(unlock, nullptr);
	for (;;)
		pthread_cond_wait(&condition, &lock);
	pthread_cleanup_pop(0);
}
static void spinning()
{
	int old;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
	for (;;)
		(void)spun;
}
static void disabled()
{
	int old;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	struct timespec t = {0, 2000000};
	do
		nanosleep(&t, nullptr);
	while (!sent);
	pthread_setcancelstate(old, &old);
	pthread_testcancel();
}
static void leaving() { pthread_exit(PTHREAD_CANCELED); }

static const struct { const char *name; void (*wait)(); } waits[] = {
	{"read", in_read}, {"recv", in_recv}, {"sem_wait", in_sem}, {"poll", in_poll}, {"select", in_select}, {"nanosleep", in_sleep},
	{"pause", in_pause}, {"sigsuspend", in_suspend}, {"testcancel", in_test}, {"cond_wait", in_condition}, {"spinning", spinning},
	{"disabled", disabled}, {"pthread_exit", leaving},
};

__attribute__((noinline)) static void descend(int depth, void (*wait)())
{
	Counted c;
	pthread_cleanup_push(cleanup, nullptr);
	if (depth) {
		descend(depth - 1, wait);
	} else {
		sem_post(&started);
		wait();
	}
	pthread_cleanup_pop(0);
}

static void *body(void *p)
{
	try {
		descend(8, reinterpret_cast<void (*)()>(p));
	} catch (...) {
		cleaned += 1000;
		throw; /* a forced unwind must go on */
	}
	return nullptr;
}

int main()
{
	CHECK(!pipe(pipes) && !socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	sem_init(&never, 0, 0);
	sem_init(&started, 0, 0);
	for (auto &w : waits) {
		destroyed = cleaned = 0;
		for (int i = 0; i < 8; i++) {
			pthread_t t;
			void *result;
			sent = false;
			CHECK(!pthread_create(&t, nullptr, body, reinterpret_cast<void *>(w.wait)));
			if (i % 2)
				sem_wait(&started);
			pthread_cancel(t);
			sent = true;
			CHECK(!pthread_join(t, &result) && result == PTHREAD_CANCELED);
			if (!(i % 2))
				sem_trywait(&started);
		}
		CHECK(!pthread_mutex_trylock(&lock) && !pthread_mutex_unlock(&lock));
		std::printf("%s: %d destroyed, %d cleaned\n", w.name, destroyed, cleaned);
	}
	std::puts("ok");
	return 0;
}
