#include "inject/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

size_t memory_read(pid_t pid, uint64_t address, void *out, size_t size)
{
	size_t done = 0;
	while (done < size) { /* page by page: one unreadable page must not hide the ones before it */
		size_t chunk = 4096 - ((address + done) & 4095);
		if (chunk > size - done)
			chunk = size - done;
		struct iovec to = {(char *)out + done, chunk}, from = {(void *)(address + done), chunk};
		ssize_t got = process_vm_readv(pid, &to, 1, &from, 1, 0);
		if (got <= 0)
			break;
		done += got;
	}
	return done;
}

int memory_read_all(pid_t pid, uint64_t address, void *out, size_t size)
{
	struct iovec to = {out, size}, from = {(void *)address, size};
	ssize_t got = process_vm_readv(pid, &to, 1, &from, 1, 0);
	return got == (ssize_t)size ? 0 : got < 0 ? -errno : -EFAULT;
}

int memory_write(pid_t pid, uint64_t address, const void *bytes, size_t size)
{
	struct iovec from = {(void *)bytes, size}, to = {(void *)address, size};
	ssize_t put = process_vm_writev(pid, &from, 1, &to, 1, 0);
	return put == (ssize_t)size ? 0 : put < 0 ? -errno : -EFAULT;
}

/* The last process's descriptor is kept: commits write thousands of pieces to one process after the other. It refers to the address space it was
 * opened on, so it must be dropped at an exec. */
static pid_t cached_pid;
static int cached_fd = -1;
static bool cached_is_checked;

void memory_forget(pid_t pid)
{
	if (cached_fd >= 0 && cached_pid == pid) {
		close(cached_fd);
		cached_fd = -1;
	}
}

static int mem_fd(pid_t pid)
{
	if (cached_fd >= 0 && cached_pid == pid)
		return cached_fd;
	if (cached_fd >= 0)
		close(cached_fd);
	char name[32];
	snprintf(name, sizeof name, "/proc/%d/mem", pid);
	cached_pid = pid;
	cached_fd = open(name, O_RDWR | O_CLOEXEC);
	cached_is_checked = false;
	return cached_fd >= 0 ? cached_fd : -errno;
}

int memory_write_text(pid_t pid, uint64_t address, const void *bytes, size_t size)
{
	return memory_write_checked(pid, address, bytes, size, NULL, NULL);
}

int memory_write_checked(pid_t pid, uint64_t address, const void *bytes, size_t size, memory_check *is_it, void *context)
{
	int fd = mem_fd(pid);
	if (fd < 0)
		return fd == -ENOENT ? -ESRCH : fd;
	if (is_it && !cached_is_checked && !(cached_is_checked = is_it(context, pid, fd))) {
		memory_forget(pid);
		return -ESRCH;
	}
	ssize_t put = pwrite(fd, bytes, size, address);
	if (put == (ssize_t)size)
		return 0;
	int error = put < 0 ? errno : EIO;
	memory_forget(pid);
	if (!put || (kill(pid, 0) && errno == ESRCH)) /* 0: nobody lives in this address space any more */
		return -ESRCH;
	return -error;
}
