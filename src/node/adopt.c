#include "node/adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "node/control_folder.h"
#include "node/orphans.h"
#include "node/supervisor.h"

enum { QUICK_MAX = 5, QUICK_US = 10000000 };

/* Held while orphans are looked for and claimed: two that look at once must not both take them. */
static int lock_adoption(const char *state)
{
	int folder = control_folder_open(state, true);
	if (folder < 0)
		return folder;
	int fd = openat(folder, "adopt", O_RDWR | O_CREAT | O_CLOEXEC, 0600), error = errno;
	close(folder);
	if (fd < 0)
		return -error;
	while (flock(fd, LOCK_EX))
		if (errno != EINTR)
			break;
	return fd;
}

static int open_memory(const struct orphan *o, struct guest_memory *out)
{
	int code = open(o->code, O_RDWR | O_CLOEXEC), shared = code < 0 ? -1 : open(o->shared, O_RDWR | O_CLOEXEC);
	int status = shared < 0 ? -errno : guest_memory_map(out, code, shared);
	if (status && shared >= 0)
		close(shared);
	if (status && code >= 0)
		close(code);
	return status;
}

/* From here on the guests wait for this process instead of giving up. */
static void claim(struct guest_memory *m, uint64_t start)
{
	struct guest_tables *t = (struct guest_tables *)(m->code + GUEST_TABLES_OFFSET);
	int64_t now = clock_us();
	t->legacy.adoptions = now - t->legacy.adopted_us < QUICK_US ? t->legacy.adoptions + 1 : 1;
	t->legacy.adopted_us = now;
	t->legacy.supervisor_start = start;
	__atomic_store_n(&t->supervisor, getpid(), __ATOMIC_RELEASE);
}

static size_t same_family(const orphan_list *all, size_t first, size_t end)
{
	size_t n = first;
	while (n < end && all->at[n].code_inode == all->at[first].code_inode)
		n++;
	return n;
}

static struct guard_options options_of(const struct guest_legacy *l, const char *state)
{
	return (struct guard_options){.state = state,
				      .redirect_all = l->redirect_all,
				      .only_traps = l->only_traps,
				      .no_heap = l->no_heap,
				      .learn_full = l->learn_full,
				      .debug = l->debug,
				      .learn_percent = l->learn_percent,
				      .checks = l->checks};
}

/* In a process of its own: claims the orphans [first, end), says so, and becomes their supervisor. */
static _Noreturn void take_over(const char *state, const orphan_list *all, size_t first, size_t end, int ready)
{
	VEC(struct orphan_family) families = {0};
	uint64_t start = process_start_time(getpid());
	char problem[256] = {0};
	int bell = open(all->at[first].bell, O_RDWR | O_CLOEXEC);
	if (bell < 0)
		snprintf(problem, sizeof problem, "%s", strerror(errno));
	for (size_t i = first, next; bell >= 0 && i < end; i = next) {
		struct orphan_family f = {.base = all->at[i].base};
		next = same_family(all, i, end);
		int status = open_memory(&all->at[i], &f.memory);
		if (status) {
			snprintf(problem, sizeof problem, "%s", strerror(-status));
			continue;
		}
		claim(&f.memory, start);
		for (size_t k = i; k < next; k++)
			vec_push(&f.pids, all->at[k].pid);
		vec_push(&families, f);
	}
	send(ready, problem, strlen(problem) + 1, MSG_NOSIGNAL);
	close(ready);
	if (!families.count)
		_exit(1);
	struct guard_options options = options_of(&all->at[first].legacy, state);
	_exit(supervisor_take_over(&options, bell, families.at, families.count) ? 1 : 0);
}

static void detach(int kept)
{
	setsid();
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	for (int fd = 3; fd < 1024; fd++)
		if (fd != kept)
			close(fd);
	prctl(PR_SET_NAME, "clearview");
}

static int start_supervisor(const char *state, const orphan_list *all, size_t first, size_t end, struct adopted *out)
{
	int ends[2];
	char problem[256] = "the supervisor did not start";
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	pid_t between = fork();
	if (between < 0)
		return -errno;
	if (!between) {
		detach(ends[1]);
		if (fork())
			_exit(0);
		take_over(state, all, first, end, ends[1]);
	}
	close(ends[1]);
	waitpid(between, NULL, 0);
	ssize_t got = recv(ends[0], problem, sizeof problem - 1, 0);
	close(ends[0]);
	if (got > 0 && !*problem) {
		out->processes += end - first;
		out->supervisors++;
	} else {
		snprintf(out->problem, sizeof out->problem, "%s", problem);
	}
	return 0;
}

static bool too_often(const struct orphan *o)
{
	return o->legacy.adoptions >= QUICK_MAX && clock_us() - o->legacy.adopted_us < QUICK_US;
}

int adopt_orphans(const char *state, bool patient, struct adopted *out)
{
	orphan_list all = {0};
	struct stat folder;
	*out = (struct adopted){0};
	int lock = stat(state, &folder) ? -errno : lock_adoption(state);
	if (lock < 0)
		return lock;
	int status = orphans_find(folder.st_dev, folder.st_ino, &all);
	for (size_t i = 0, next; !status && i < all.count; i = next) {
		for (next = i; next < all.count && all.at[next].bell_inode == all.at[i].bell_inode;)
			next++;
		if (patient && too_often(&all.at[i]))
			out->later = true;
		else
			status = start_supervisor(state, &all, i, next, out);
	}
	vec_free(&all);
	close(lock);
	return status;
}

static int is_orphan_row(void *context, const struct guest_row *g)
{
	bool lives = process_start_time(g->pid) == g->pid_start;
	return lives && !supervisor_lives(g->supervisor, g->supervisor_start);
}

bool orphans_known(struct store *s)
{
	return store_guests(s, is_orphan_row, NULL) == 1;
}

pid_t adopt_spawn(const char *state, pid_t keeper_for)
{
	pid_t pid;
	char number[16];
	snprintf(number, sizeof number, "%d", keeper_for);
	char *when_gone[] = {"clearview", "adopt", "--state", (char *)state, "--when-gone", number, NULL};
	char *now[] = {"clearview", "adopt", "--state", (char *)state, NULL};
	return posix_spawn(&pid, "/proc/self/exe", NULL, NULL, keeper_for ? when_gone : now, environ) ? 0 : pid;
}
