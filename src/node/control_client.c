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
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_AGAIN_MS = 10, STILL_ALIVE_MS = 2 };

typedef VEC(struct control_name) name_list;

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/* Files of supervisors begin with their pid, those of commands don't. */
static bool has_suffix(const char *file, const char *suffix, struct control_name *name)
{
	const char *dot = strchr(file, '.');
	size_t length = dot ? (size_t)(dot - file) : 0;
	if (*file < '1' || *file > '9' || length >= sizeof name->text || !dot || strcmp(dot + 1, suffix))
		return false;
	memcpy(name->text, file, length);
	name->text[length] = 0;
	return true;
}

static void remove_files(int folder, const struct control_name *of)
{
	static const char *const suffixes[] = {"sock", "finishing", "lock"};
	char name[CONTROL_NAME_SIZE + 16];
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		snprintf(name, sizeof name, "%s.%s", of->text, suffixes[i]);
		unlinkat(folder, name, 0);
	}
}

/* A supervisor holds its lock as long as it lives; what a dead one left is removed, under the lock: a new one of that name waits for it. */
static bool lives(int folder, const struct control_name *supervisor)
{
	char name[CONTROL_NAME_SIZE + 16];
	snprintf(name, sizeof name, "%s.lock", supervisor->text);
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool dead = !flock(fd, LOCK_EX | LOCK_NB);
	if (dead)
		remove_files(folder, supervisor);
	close(fd);
	return !dead;
}

/* Living supervisors that have a file of that suffix. */
static int list(int folder, const char *suffix, name_list *out)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = copy < 0 ? NULL : fdopendir(copy);
	if (!directory)
		return -errno;
	struct control_name name;
	for (struct dirent *entry; (entry = readdir(directory));)
		if (has_suffix(entry->d_name, suffix, &name) && lives(folder, &name))
			vec_push(out, name);
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
static void send_request(int folder, int fd, const struct control_name *to, const char *request, int64_t deadline)
{
	struct sockaddr_un address;
	socklen_t size = control_address(folder, to->text, &address);
	int length = strlen(request);
	while (sendto(fd, request, length, 0, (struct sockaddr *)&address, size) != length) {
		if ((errno != EAGAIN && errno != EINTR) || now_ms() >= deadline)
			return;
		poll(NULL, 0, LOOK_AGAIN_MS);
	}
}

static bool sender_of(const struct sockaddr_un *address, struct control_name *sender)
{
	const char *slash = strrchr(address->sun_path, '/');
	return slash && has_suffix(slash + 1, "sock", sender);
}

/* Waits for one answer; *sender: whose it is. False when the time is over. */
static bool receive_done(int fd, const char *nonce, int64_t deadline, struct control_name *sender, unsigned *processes, char words[256])
{
	char text[512], heard[CONTROL_NONCE_SIZE];
	for (;;) {
		struct sockaddr_un from = {0};
		ssize_t length = recvfrom(fd, text, sizeof text - 1, 0, (struct sockaddr *)&from, &(socklen_t){sizeof from - 1});
		if (length > 0) {
			text[length] = 0;
			*words = 0;
			if (sscanf(text, "done %63s %u %255[^\n]", heard, processes, words) >= 2 && !strcmp(heard, nonce) && sender_of(&from, sender))
				return true;
			continue;
		}
		int64_t left = deadline - now_ms();
		if (left <= 0)
			return false;
		poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, left);
	}
}

static bool strike(name_list *pending, const struct control_name *name)
{
	for (size_t i = 0; i < pending->count; i++)
		if (!strcmp(pending->at[i].text, name->text)) {
			pending->at[i] = pending->at[--pending->count];
			return true;
		}
	return false;
}

/* One that dies before it answers won't answer any more. */
static void strike_dead(int folder, name_list *pending)
{
	for (size_t i = pending->count; i-- > 0;)
		if (!lives(folder, &pending->at[i]))
			pending->at[i] = pending->at[--pending->count];
}

/* `pending`: the supervisors to ask; those that live and did not answer are left in it. */
static void exchange(int folder, int fd, const char *nonce, const char *request, name_list *pending, int timeout_ms, struct control_result *out)
{
	int64_t deadline = now_ms() + timeout_ms;
	for (size_t i = 0; i < pending->count; i++)
		send_request(folder, fd, &pending->at[i], request, deadline);
	while (pending->count && now_ms() < deadline) {
		int64_t step = now_ms() + STILL_ALIVE_MS; /* a program that starts when another ends waits for this */
		unsigned processes = 0;
		char words[256];
		struct control_name from;
		bool any = receive_done(fd, nonce, step < deadline ? step : deadline, &from, &processes, words);
		if (any && strike(pending, &from)) {
			out->answered++;
			out->processes += processes;
			if (*words)
				memcpy(out->text, words, sizeof words);
		} else if (!any) {
			strike_dead(folder, pending);
		}
	}
	strike_dead(folder, pending);
	out->supervisors = out->answered + pending->count;
}

static int ask(const char *state_directory, const char *verb, pid_t pid, int timeout_ms, struct control_result *out)
{
	char request[128], nonce[CONTROL_NONCE_SIZE], name[CONTROL_NONCE_SIZE + 8];
	name_list supervisors = {0};
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
	int length = snprintf(request, sizeof request, "%s %s", verb, nonce);
	if (pid)
		snprintf(request + length, sizeof request - length, " %d", pid);
	exchange(folder, fd, nonce, request, &supervisors, timeout_ms, out);
	close(fd);
	snprintf(name, sizeof name, "%s.sock", nonce);
	unlinkat(folder, name, 0);
out_folder:
	vec_free(&supervisors);
	close(folder);
	return error;
}

int control_reload(const char *state_directory, int timeout_ms, struct control_result *out)
{
	return ask(state_directory, "reload", 0, timeout_ms, out);
}

int control_detach(const char *state_directory, pid_t pid, int timeout_ms, struct control_result *out)
{
	return ask(state_directory, "detach", pid, timeout_ms, out);
}

/* Sleeps until the process ends, or for a moment: it may also get new guests. */
static void wait_for(const struct control_name *name)
{
	int fd = syscall(SYS_pidfd_open, atoi(name->text), 0); /* or of somebody else, in another namespace: then the moment will do */
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
		name_list finishing = {0};
		struct control_name other = {0}, own = control_own_name();
		error = list(folder, "finishing", &finishing);
		for (size_t i = 0; i < finishing.count; i++)
			if (strcmp(finishing.at[i].text, own.text))
				other = finishing.at[i];
		vec_free(&finishing);
		if (error || !*other.text)
			break;
		if (now_ms() >= deadline) {
			error = -ETIMEDOUT;
			break;
		}
		wait_for(&other);
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
