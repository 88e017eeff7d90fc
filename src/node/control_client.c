/* The commands' side of src/node/control.h. */
#include "base/vec.h"
#include "node/control.h"
#include "node/control_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_AGAIN_MS = 10 };

typedef VEC(pid_t) pid_list;

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

static bool has_suffix(const char *name, const char *suffix, pid_t *pid)
{
	char *end;
	long number = strtol(name, &end, 10);
	*pid = number;
	return end != name && number > 0 && *end == '.' && !strcmp(end + 1, suffix);
}

static void remove_files(int folder, pid_t pid)
{
	static const char *const suffixes[] = {"sock", "finishing", "lock"};
	char name[32];
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		snprintf(name, sizeof name, "%d.%s", pid, suffixes[i]);
		unlinkat(folder, name, 0);
	}
}

/* A supervisor holds its lock as long as it lives; what a dead one left is removed, under the lock: a new one with that pid waits for it. */
static bool lives(int folder, pid_t pid)
{
	char name[32];
	snprintf(name, sizeof name, "%d.lock", pid);
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool dead = !flock(fd, LOCK_EX | LOCK_NB);
	if (dead)
		remove_files(folder, pid);
	close(fd);
	return !dead;
}

/* Living supervisors that have a file of that suffix. */
static int list(int folder, const char *suffix, pid_list *out)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = copy < 0 ? NULL : fdopendir(copy);
	if (!directory)
		return -errno;
	pid_t pid;
	for (struct dirent *entry; (entry = readdir(directory));)
		if (has_suffix(entry->d_name, suffix, &pid) && lives(folder, pid))
			vec_push(out, pid);
	closedir(directory);
	return 0;
}

static int make_nonce(char out[CONTROL_NONCE_SIZE])
{
	uint64_t random;
	if (getrandom(&random, sizeof random, 0) != sizeof random)
		return -errno;
	snprintf(out, CONTROL_NONCE_SIZE, "command-%d-%016llx", getpid(), (unsigned long long)random);
	return 0;
}

/* A full queue empties as soon as that supervisor comes to it. */
static void send_reload(int folder, int fd, pid_t pid, const char *nonce, int64_t deadline)
{
	struct sockaddr_un address;
	char name[16], text[128];
	snprintf(name, sizeof name, "%d", pid);
	socklen_t size = control_address(folder, name, &address);
	int length = snprintf(text, sizeof text, "reload %s", nonce);
	while (sendto(fd, text, length, 0, (struct sockaddr *)&address, size) != length) {
		if ((errno != EAGAIN && errno != EINTR) || now_ms() >= deadline)
			return;
		poll(NULL, 0, LOOK_AGAIN_MS);
	}
}

static pid_t sender_of(const struct sockaddr_un *address)
{
	const char *slash = strrchr(address->sun_path, '/');
	pid_t pid;
	return slash && has_suffix(slash + 1, "sock", &pid) ? pid : 0;
}

/* Waits for one answer; returns whose it is, or 0 when the time is over. */
static pid_t receive_done(int fd, const char *nonce, int64_t deadline, unsigned *processes)
{
	char text[256], heard[CONTROL_NONCE_SIZE];
	for (;;) {
		struct sockaddr_un from = {0};
		ssize_t length = recvfrom(fd, text, sizeof text - 1, 0, (struct sockaddr *)&from, &(socklen_t){sizeof from - 1});
		if (length > 0) {
			text[length] = 0;
			if (sscanf(text, "done %63s %u", heard, processes) == 2 && !strcmp(heard, nonce) && sender_of(&from))
				return sender_of(&from);
			continue;
		}
		int64_t left = deadline - now_ms();
		if (left <= 0)
			return 0;
		poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, left);
	}
}

static bool strike(pid_list *pending, pid_t pid)
{
	for (size_t i = 0; i < pending->count; i++)
		if (pending->at[i] == pid) {
			pending->at[i] = pending->at[--pending->count];
			return true;
		}
	return false;
}

/* One that dies before it answers won't answer any more. */
static void strike_dead(int folder, pid_list *pending)
{
	for (size_t i = pending->count; i-- > 0;)
		if (!lives(folder, pending->at[i]))
			strike(pending, pending->at[i]);
}

/* `pending`: the supervisors to ask; those that live and did not answer are left in it. */
static void exchange(int folder, int fd, const char *nonce, pid_list *pending, int timeout_ms, struct control_result *out)
{
	int64_t deadline = now_ms() + timeout_ms;
	for (size_t i = 0; i < pending->count; i++)
		send_reload(folder, fd, pending->at[i], nonce, deadline);
	while (pending->count && now_ms() < deadline) {
		int64_t step = now_ms() + LOOK_AGAIN_MS * 10;
		unsigned processes = 0;
		pid_t from = receive_done(fd, nonce, step < deadline ? step : deadline, &processes);
		if (from && strike(pending, from)) {
			out->answered++;
			out->processes += processes;
		} else if (!from) {
			strike_dead(folder, pending);
		}
	}
	strike_dead(folder, pending);
	out->supervisors = out->answered + pending->count;
}

int control_reload(const char *state_directory, int timeout_ms, struct control_result *out)
{
	char nonce[CONTROL_NONCE_SIZE], name[CONTROL_NONCE_SIZE + 8];
	pid_list supervisors = {0};
	*out = (struct control_result){0};
	int folder = control_folder_open(state_directory, false);
	if (folder < 0)
		return folder == -ENOENT ? 0 : folder;
	int error = list(folder, "lock", &supervisors);
	if (error || !supervisors.count)
		goto out_folder;
	error = make_nonce(nonce);
	if (error)
		goto out_folder;
	int fd = control_bind(folder, nonce);
	if (fd < 0) {
		error = fd;
		goto out_folder;
	}
	exchange(folder, fd, nonce, &supervisors, timeout_ms, out);
	close(fd);
	snprintf(name, sizeof name, "%s.sock", nonce);
	unlinkat(folder, name, 0);
out_folder:
	vec_free(&supervisors);
	close(folder);
	return error;
}

/* Sleeps until the process ends, or for a moment: it may also get new guests. */
static void wait_for(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);
	poll(&(struct pollfd){.fd = fd, .events = POLLIN}, fd >= 0, LOOK_AGAIN_MS);
	if (fd >= 0)
		close(fd);
}

int control_wait_finishing(const char *state_directory, int timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms;
	int folder = control_folder_open(state_directory, false), error;
	if (folder < 0)
		return folder == -ENOENT ? 0 : folder;
	for (;;) {
		pid_list finishing = {0};
		pid_t other = 0;
		error = list(folder, "finishing", &finishing);
		for (size_t i = 0; i < finishing.count; i++)
			if (finishing.at[i] != getpid())
				other = finishing.at[i];
		vec_free(&finishing);
		if (error || !other)
			break;
		if (now_ms() >= deadline) {
			error = -ETIMEDOUT;
			break;
		}
		wait_for(other);
	}
	close(folder);
	return error;
}

int control_settle(const char *state_directory, int timeout_ms)
{
	enum { HEARING_MS = 1000 };
	struct control_result heard;
	control_reload(state_directory, timeout_ms < HEARING_MS ? timeout_ms : HEARING_MS, &heard);
	return control_wait_finishing(state_directory, timeout_ms);
}
