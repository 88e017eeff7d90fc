#include "inject/handover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inject/memory.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif
#include <fcntl.h>

/* What lies in the scratch page. */
struct letter {
	int pair[2];
	struct msghdr message;
	struct iovec text;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(HANDOVER_MAX * sizeof(int))];
	char byte;
};

/* The thread's own table of files if the kernel knows descriptors of threads: the first thread may have ended. */
int handover_take(pid_t tid, int number)
{
	int process = syscall(SYS_pidfd_open, tid, PIDFD_THREAD);
	if (process < 0)
		process = syscall(SYS_pidfd_open, tid, 0);
	if (process < 0)
		return -errno;
	int end = syscall(SYS_pidfd_getfd, process, number, 0), status = end < 0 ? -errno : end;
	close(process);
	return status;
}

int handover_send(int end, const int *ours, size_t count)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(HANDOVER_MAX * sizeof(int))] = {0};
	struct iovec text = {"", 1};
	struct msghdr m = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(count * sizeof *ours)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	*c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(count * sizeof *ours)};
	memcpy(CMSG_DATA(c), ours, count * sizeof *ours);
	return sendmsg(end, &m, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

static struct letter letter_at(uint64_t at)
{
	struct letter l = {.text = {(void *)(at + offsetof(struct letter, byte)), 1}};
	l.message = (struct msghdr){.msg_iov = (void *)(at + offsetof(struct letter, text)),
				    .msg_iovlen = 1,
				    .msg_control = (void *)(at + offsetof(struct letter, control)),
				    .msg_controllen = sizeof l.control};
	return l;
}

static int read_numbers(const struct foothold *f, uint64_t at, size_t count, int *theirs)
{
	struct letter l;
	int status = memory_read_all(f->pid, at, &l, sizeof l);
	if (status)
		return status;
	const struct cmsghdr *c = (const struct cmsghdr *)l.control;
	if (l.message.msg_controllen < CMSG_LEN(count * sizeof *theirs) || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(count * sizeof *theirs))
		return -EMFILE; /* the kernel drops those that find no number */
	memcpy(theirs, CMSG_DATA(c), count * sizeof *theirs);
	return 0;
}

static int exchange(struct foothold *f, uint64_t at, const int pair[2], const int *ours, size_t count, int *theirs)
{
	int end = handover_take(f->thread->tid, pair[0]);
	if (end < 0)
		end = handover_take(f->pid, pair[0]);
	if (end < 0)
		return end;
	int status = handover_send(end, ours, count);
	close(end);
	if (status)
		return status;
	long got = foothold_call(f, SYS_recvmsg, pair[1], at + offsetof(struct letter, message), MSG_CMSG_CLOEXEC | MSG_DONTWAIT, 0, 0, 0);
	return got < 0 ? (int)got : read_numbers(f, at, count, theirs);
}

int handover(struct foothold *f, uint64_t scratch, const int *ours, size_t count, int *theirs)
{
	struct letter l = letter_at(scratch);
	int status = memory_write(f->pid, scratch, &l, sizeof l);
	if (!status)
		status = (int)foothold_call(f, SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, scratch + offsetof(struct letter, pair), 0, 0);
	if (status)
		return status;
	status = memory_read_all(f->pid, scratch + offsetof(struct letter, pair), l.pair, sizeof l.pair);
	if (!status)
		status = exchange(f, scratch, l.pair, ours, count, theirs);
	for (int i = 0; i < 2; i++)
		foothold_call(f, SYS_close, l.pair[i], 0, 0, 0, 0, 0);
	return status;
}

int handover_read_only(int fd)
{
	char name[32];
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	int copy = open(name, O_RDONLY | O_CLOEXEC);
	return copy < 0 ? -errno : copy;
}
