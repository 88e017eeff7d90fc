/* The supervisor's side of src/node/control.h. Sockets are named through /proc/self/fd: a state folder's path may be longer than a socket
 * address can hold. */
#include "node/control.h"
#include "node/control_folder.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct control {
	int folder, lock, socket;
	pid_t pid;
	struct control_name name;
};

struct control_name control_own_name(void)
{
	struct stat namespace = {0};
	struct control_name own;
	if (stat("/proc/self/ns/pid", &namespace))
		namespace.st_ino = 0;
	snprintf(own.text, sizeof own.text, "%d-%lx", getpid(), (unsigned long)namespace.st_ino);
	return own;
}

int control_folder_open(const char *state_directory, bool make)
{
	int state = open(state_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (state < 0)
		return -errno;
	int error = make && mkdirat(state, "run", 0700) && errno != EEXIST ? -errno : 0;
	int folder = error ? error : openat(state, "run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 && !error)
		folder = -errno;
	close(state);
	return folder;
}

socklen_t control_address(int folder, const char *name, struct sockaddr_un *out)
{
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%.64s.sock", folder, name);
	return sizeof *out;
}

int control_bind(int folder, const char *name)
{
	struct sockaddr_un address;
	socklen_t size = control_address(folder, name, &address);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	unlink(address.sun_path); /* of a dead process that had the same pid */
	if (bind(fd, (struct sockaddr *)&address, size)) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

static void name_of(const struct control *c, const char *suffix, char out[CONTROL_NAME_SIZE + 16])
{
	snprintf(out, CONTROL_NAME_SIZE + 16, "%s.%s", c->name.text, suffix);
}

/* A command that met the file before it was locked may have taken it for a dead one's and removed it: then once more. */
static int lock_file(struct control *c)
{
	char name[CONTROL_NAME_SIZE + 16];
	struct stat mine, there;
	name_of(c, "lock", name);
	for (;;) {
		int fd = openat(c->folder, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return -errno;
		errno = 0;
		if (!flock(fd, LOCK_SH) && !fstat(fd, &mine) && !fstatat(c->folder, name, &there, 0) && mine.st_ino == there.st_ino)
			return fd;
		int error = errno;
		close(fd);
		if (error != ENOENT && error != EINTR && error != 0)
			return -error;
	}
}

static void unlink_suffix(struct control *c, const char *suffix)
{
	char name[CONTROL_NAME_SIZE + 16];
	name_of(c, suffix, name);
	unlinkat(c->folder, name, 0);
}

int control_open(const char *state_directory, struct control **out)
{
	struct control *c = calloc(1, sizeof *c);
	if (!c)
		return -ENOMEM;
	*c = (struct control){.folder = -1, .lock = -1, .socket = -1, .pid = getpid(), .name = control_own_name()};
	int error = c->folder = control_folder_open(state_directory, true);
	if (error >= 0)
		error = c->lock = lock_file(c);
	if (error >= 0) {
		unlink_suffix(c, "finishing");
		error = c->socket = control_bind(c->folder, c->name.text);
	}
	if (error < 0) {
		control_close(c);
		return error;
	}
	*out = c;
	return 0;
}

int control_fd(const struct control *c)
{
	return c->socket;
}

/* A nonce becomes a file name: letters, digits, dots and dashes, and no dot in front. */
static bool is_nonce(const char *text)
{
	if (!isalnum((unsigned char)*text))
		return false;
	while (isalnum((unsigned char)*text) || *text == '-' || *text == '.')
		text++;
	return !*text;
}

int control_receive(struct control *c, struct control_message *out)
{
	char text[256], nonce[CONTROL_NONCE_SIZE];
	for (;;) {
		ssize_t length = recv(c->socket, text, sizeof text - 1, 0);
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return -errno;
		text[length] = 0;
		out->detach = 0;
		bool known = sscanf(text, "reload %63s", nonce) == 1 || (sscanf(text, "detach %63s %d", nonce, &out->detach) == 2 && out->detach > 0);
		if (known && is_nonce(nonce)) {
			memcpy(out->nonce, nonce, sizeof nonce);
			return 0;
		}
	}
}

int control_reply(struct control *c, const struct control_message *to, unsigned processes)
{
	return control_reply_text(c, to, processes, "");
}

int control_reply_text(struct control *c, const struct control_message *to, unsigned processes, const char *words)
{
	struct sockaddr_un address;
	char text[512];
	socklen_t size = control_address(c->folder, to->nonce, &address);
	int length = snprintf(text, sizeof text, "done %s %u %s", to->nonce, processes, words);
	if (sendto(c->socket, text, length, 0, (struct sockaddr *)&address, size) == length)
		return 0;
	return errno == ENOENT || errno == ECONNREFUSED ? 0 : -errno;
}

int control_finishing(struct control *c, bool finishing)
{
	char name[CONTROL_NAME_SIZE + 16];
	if (!finishing) {
		unlink_suffix(c, "finishing");
		return 0;
	}
	name_of(c, "finishing", name);
	int fd = openat(c->folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	if (c->folder >= 0 && c->lock >= 0 && c->pid == getpid()) {
		unlink_suffix(c, "finishing");
		unlink_suffix(c, "sock");
		unlink_suffix(c, "lock");
	}
	if (c->socket >= 0)
		close(c->socket);
	if (c->lock >= 0)
		close(c->lock);
	if (c->folder >= 0)
		close(c->folder);
	free(c);
}
