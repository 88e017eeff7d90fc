#include "engine/analysis_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"

enum { FILES_MAX = 400, NAME_SIZE = 192 };

static bool is_ours(const struct stat *st)
{
	return st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

int analysis_folder(const char *path)
{
	struct stat st;
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && is_ours(&st))
		return fd;
	close(fd);
	return -EPERM;
}

int analysis_folder_open(int folder, const char *name, struct stat *st)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, st) && S_ISREG(st->st_mode) && is_ours(st))
		return fd;
	close(fd);
	return -EPERM;
}

struct entry {
	char name[NAME_SIZE];
	int64_t changed_ns;
	size_t size;
};
typedef VEC(struct entry) entry_list;

static int by_age(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	return x->changed_ns < y->changed_ns ? -1 : x->changed_ns > y->changed_ns;
}

static void list(int folder, entry_list *out)
{
	struct stat st;
	struct entry e;
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = copy < 0 ? NULL : fdopendir(copy);
	for (struct dirent *d; directory && (d = readdir(directory));)
		if (strlen(d->d_name) < sizeof e.name && !fstatat(folder, d->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode)) {
			strcpy(e.name, d->d_name);
			e.changed_ns = st.st_mtim.tv_sec * 1000000000ll + st.st_mtim.tv_nsec;
			e.size = st.st_size;
			vec_push(out, e);
		}
	if (directory)
		closedir(directory);
}

static void make_room(int folder, size_t limit)
{
	entry_list all = {0};
	size_t bytes = 0, at = 0;
	list(folder, &all);
	for (size_t i = 0; i < all.count; i++)
		bytes += all.at[i].size;
	if (all.count)
		qsort(all.at, all.count, sizeof *all.at, by_age);
	for (; at < all.count && (all.count - at > FILES_MAX || bytes > limit); at++) {
		unlinkat(folder, all.at[at].name, 0);
		bytes -= all.at[at].size;
	}
	vec_free(&all);
}

static int write_all(int fd, const uint8_t *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t put = write(fd, bytes + done, size - done);
		if (put <= 0)
			return put ? -errno : -EIO;
		done += put;
	}
	return 0;
}

int analysis_folder_put(int folder, const char *name, const void *bytes, size_t size, size_t limit)
{
	char draft[NAME_SIZE];
	snprintf(draft, sizeof draft, "%.128s.%d", name, getpid());
	int fd = openat(folder, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST && !unlinkat(folder, draft, 0)) /* of a dead process that had the same pid */
		fd = openat(folder, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int status = write_all(fd, bytes, size);
	close(fd);
	if (!status && renameat(folder, draft, folder, name))
		status = -errno;
	if (status)
		unlinkat(folder, draft, 0);
	else
		make_room(folder, limit);
	return status;
}
