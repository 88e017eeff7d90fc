/* EINTR and SA_RESTART: a timer's handler interrupts a row of system calls. Without SA_RESTART each gives EINTR, except those that never do; with it, those that
 * the kernel restarts are seen to go on waiting until what they wait for has come, and the others give EINTR all the same.
 * build: -O2
 * build: -O2 -static
 * run: interrupt
 * run: restart
 * run: interrupt trap
 * run: restart trap
 * time: 60
 */
#include "behave.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TICKS = 4 }; /* after so many the handler lets the wait end */

static int pipes[2], full[2], pair[2], listening, event, epoll, queue, semaphores, lock_file;
static sem_t semaphore;
static uint32_t word;
static pid_t child;
static volatile sig_atomic_t ticks;
static void (*volatile finish)(void);

static void finish_pipe(void) { CHECK(write(pipes[1], "x", 1) == 1); }
static void finish_full(void) { char some[65536]; CHECK(read(full[0], some, sizeof some) > 0); }
static void finish_pair(void) { CHECK(write(pair[1], "x", 1) == 1); }
static void finish_event(void) { uint64_t one = 1; CHECK(write(event, &one, 8) == 8); }
static void finish_semaphore(void) { sem_post(&semaphore); }
static void finish_word(void) { word = 1; syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0); }
static void finish_child(void) { kill(child, SIGKILL); }
static void finish_queue(void) { struct { long type; char text[4]; } m = { 1, "abc" }; CHECK(msgsnd(queue, &m, 4, 0) == 0); }
static void finish_semaphores(void) { struct sembuf up = { 0, 1, 0 }; CHECK(semop(semaphores, &up, 1) == 0); }
static void finish_listening(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	socklen_t size = sizeof a;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(getsockname(listening, (struct sockaddr *)&a, &size) == 0 && connect(fd, (struct sockaddr *)&a, size) == 0);
	close(fd);
}

static long wait_read(void) { char c; return read(pipes[0], &c, 1); }
static long wait_write(void) { char some[65536] = ""; return write(full[1], some, sizeof some) > 0 ? 1 : -1; }
static long wait_recv(void) { char c; return recv(pair[0], &c, 1, 0); }
static long wait_recvmsg(void) { char c; struct iovec v = { &c, 1 }; struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 }; return recvmsg(pair[0], &m, 0); }
static long wait_eventfd(void) { uint64_t n; return read(event, &n, 8) == 8 ? 1 : -1; }
static long wait_accept(void) { int fd = accept(listening, NULL, NULL); if (fd < 0) return -1; close(fd); return 1; }
static long wait_sem(void) { return sem_wait(&semaphore) ? -1 : 1; }
static long wait_futex(void) { return syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0) ? -1 : 1; }
static long wait_child(void) { return waitpid(child, NULL, 0) == child ? 1 : -1; }
static long wait_msg(void) { struct { long type; char text[4]; } m; return msgrcv(queue, &m, 4, 0, 0); }
static long wait_semop(void) { struct sembuf down = { 0, -1, 0 }; return semop(semaphores, &down, 1) ? -1 : 1; }
static long wait_poll(void) { struct pollfd p = { pipes[0], POLLIN, 0 }; return poll(&p, 1, -1); }
static long wait_select(void) { fd_set s; FD_ZERO(&s); FD_SET(pipes[0], &s); return select(pipes[0] + 1, &s, NULL, NULL, NULL); }
static long wait_pselect(void)
{
	sigset_t none;
	fd_set s;
	sigemptyset(&none);
	FD_ZERO(&s);
	FD_SET(pipes[0], &s);
	return pselect(pipes[0] + 1, &s, NULL, NULL, NULL, &none);
}
static long wait_ppoll(void) { sigset_t none; struct pollfd p = { pipes[0], POLLIN, 0 }; sigemptyset(&none); return ppoll(&p, 1, NULL, &none); }
static long wait_epoll(void) { struct epoll_event e; return epoll_wait(epoll, &e, 1, -1); }
static long wait_epoll_pwait(void) { struct epoll_event e; sigset_t none; sigemptyset(&none); return epoll_pwait(epoll, &e, 1, -1, &none); }
static long wait_nanosleep(void) { struct timespec t = { 100, 0 }; return nanosleep(&t, NULL); }
static long wait_clock(void) { struct timespec t = { 100, 0 }; int e = clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL); errno = e; return e ? -1 : 1; }
static long wait_pause(void) { return pause(); }
static long wait_suspend(void) { sigset_t none; sigemptyset(&none); return sigsuspend(&none); }
static long wait_sigtimedwait(void) { sigset_t s; sigemptyset(&s); sigaddset(&s, SIGUSR2); return sigtimedwait(&s, NULL, &(struct timespec){ 100, 0 }); }
static long wait_flock(void) { return flock(lock_file, LOCK_EX) ? -1 : 1; }
static long wait_fcntl(void) { struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET }; return fcntl(lock_file, F_SETLKW, &l) ? -1 : 1; }
static long wait_open(void) { return open("fifo", O_RDONLY); }

static const struct { const char *name; long (*wait)(void); void (*finish)(void); char restarts; } calls[] = {
	{ "read", wait_read, finish_pipe, 1 }, { "write", wait_write, finish_full, 1 }, { "recv", wait_recv, finish_pair, 1 },
	{ "recvmsg", wait_recvmsg, finish_pair, 1 }, { "eventfd", wait_eventfd, finish_event, 1 }, { "accept", wait_accept, finish_listening, 1 },
	{ "sem_wait", wait_sem, finish_semaphore, 1 }, { "futex", wait_futex, finish_word, 1 }, { "waitpid", wait_child, finish_child, 1 },
	{ "msgrcv", wait_msg, finish_queue, 0 }, { "semop", wait_semop, finish_semaphores, 0 }, { "poll", wait_poll, finish_pipe, 0 },
	{ "select", wait_select, finish_pipe, 0 }, { "pselect", wait_pselect, finish_pipe, 0 }, { "ppoll", wait_ppoll, finish_pipe, 0 },
	{ "epoll_wait", wait_epoll, finish_pipe, 0 }, { "epoll_pwait", wait_epoll_pwait, finish_pipe, 0 }, { "nanosleep", wait_nanosleep, NULL, 0 },
	{ "clock_nanosleep", wait_clock, NULL, 0 }, { "pause", wait_pause, NULL, 0 }, { "sigsuspend", wait_suspend, NULL, 0 },
	{ "sigtimedwait", wait_sigtimedwait, NULL, 0 }, { "flock", wait_flock, finish_child, 1 }, { "fcntl", wait_fcntl, finish_child, 1 },
	{ "open", wait_open, finish_child, 1 },
};

static void tick(int signal)
{
	int e = errno;

	if (++ticks == TICKS && finish)
		finish();
	errno = e;
}

/* What the wait is about, made anew for each. The child holds the locks, and opens the fifo when it ends: its end lets go. */
static void prepare(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct epoll_event e = { .events = EPOLLIN };
	static char some[65536];

	CHECK(!pipe(pipes) && !pipe(full) && !socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	fcntl(full[1], F_SETFL, O_NONBLOCK);
	while (write(full[1], some, sizeof some) > 0)
		;
	fcntl(full[1], F_SETFL, 0);
	listening = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(!bind(listening, (struct sockaddr *)&a, sizeof a.sun_family) && !listen(listening, 1));
	event = eventfd(0, 0);
	epoll = epoll_create1(0);
	CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[0], &e));
	queue = msgget(IPC_PRIVATE, 0600);
	semaphores = semget(IPC_PRIVATE, 1, 0600);
	sem_init(&semaphore, 0, 0);
	word = 0;
	lock_file = open("lock", O_RDWR | O_CREAT, 0600);
	unlink("fifo");
	CHECK(mkfifo("fifo", 0600) == 0);
}

static void clean_up(void)
{
	int fds[] = { pipes[0], pipes[1], full[0], full[1], pair[0], pair[1], listening, event, epoll, lock_file };

	for (unsigned i = 0; i < sizeof fds / sizeof *fds; i++)
		close(fds[i]);
	msgctl(queue, IPC_RMID, NULL);
	semctl(semaphores, 0, IPC_RMID);
}

static void start_child(void)
{
	int ready[2];
	char c;

	pipe(ready);
	child = fork();
	if (!child) {
		struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		int fd = open("lock", O_RDWR);
		flock(fd, LOCK_EX);
		fcntl(fd, F_SETLK, &l);
		write(ready[1], "x", 1);
		pause();
		_exit(0);
	}
	read(ready[0], &c, 1);
	close(ready[0]);
	close(ready[1]);
}

static long interrupted(long (*wait)(void), timer_t timer)
{
	struct itimerspec often = { { 0, 3000000 }, { 0, 3000000 } }, off = { { 0, 0 }, { 0, 0 } };

	ticks = 0;
	timer_settime(timer, 0, &often, NULL);
	long result = wait();
	int e = errno;
	timer_settime(timer, 0, &off, NULL);
	errno = e;
	return result;
}

int main(int argc, char **argv)
{
	int restart = !strcmp(argv[1], "restart");
	struct sigaction a = { .sa_handler = tick, .sa_flags = restart ? SA_RESTART : 0 };
	timer_t timer;

	int number = argc > 2 ? SIGTRAP : SIGUSR1; /* of the signals of faults, which ClearView handles first */
	sigaction(number, &a, NULL);
	CHECK(timer_create(CLOCK_MONOTONIC, &(struct sigevent){ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = number }, &timer) == 0);
	for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
		if (calls[i].wait == wait_open && restart)
			continue; /* nobody ever opens the other end */
		prepare();
		start_child();
		finish = restart && calls[i].restarts ? calls[i].finish : NULL;
		long result = interrupted(calls[i].wait, timer);
		printf("%s: %ld %s%s\n", calls[i].name, result > 0 ? 1 : result, result > 0 ? "" : strerror(errno), finish && ticks >= TICKS ? ", went on" : "");
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		clean_up();
	}
	return passed();
}
