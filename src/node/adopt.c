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
#include "node/daemon.h"
#include "node/orphans.h"
#include "node/reach.h"
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
				      .direct_calls = l->redirect_all > 1,
				      .only_traps = l->only_traps,
				      .provoke = l->provoke,
				      .visits = l->visits,
				      .strict = l->strict,
				      .jit = l->jit ? "" : NULL,
				      .no_heap = l->no_heap,
				      .learn_full = l->learn_full,
				      .debug = l->debug,
				      .learn_percent = l->learn_percent,
				      .checks = l->checks};
}

/* The family of the orphans [first, end). Those that can't be made to join stay what they are. */
static int take_family(const orphan_list *all, size_t first, size_t end, bool as_copy, int bell, uint64_t start, struct orphan_family *out)
{
	*out = (struct orphan_family){.base = all->at[first].base, .bell = all->at[first].bell_offset};
	int status = reach_family(&all->at[first], as_copy, &out->memory), worst = 0;
	if (status)
		return status;
	claim(&out->memory, start);
	for (size_t i = first; i < end; i++) {
		status = as_copy ? reach_join(&all->at[i], &out->memory, bell) : 0;
		if (status)
			worst = status;
		else
			vec_push(&out->pids, all->at[i].pid);
	}
	if (!out->pids.count)
		guest_memory_release(&out->memory);
	return worst;
}

/* In a process of its own: claims the orphans [first, end), says so, and becomes their supervisor. */
static _Noreturn void take_over(const char *state, const orphan_list *all, size_t first, size_t end, int ready)
{
	VEC(struct orphan_family) families = {0};
	uint64_t start = process_start_time(getpid());
	struct { unsigned processes; char problem[256]; } said = {0};
	bool as_copy;
	int bell = reach_bell(&all->at[first], &as_copy), worst = bell < 0 ? bell : 0;
	for (size_t i = first, next; bell >= 0 && i < end; i = next) {
		struct orphan_family f;
		next = same_family(all, i, end);
		int status = take_family(all, i, next, as_copy, bell, start, &f);
		if (status)
			worst = status;
		if (f.pids.count)
			vec_push(&families, f);
		said.processes += f.pids.count;
	}
	if (worst)
		snprintf(said.problem, sizeof said.problem, "%s", worst == -EACCES ? "a seccomp filter forbids it" : strerror(-worst));
	send(ready, &said, sizeof said, MSG_NOSIGNAL);
	close(ready);
	if (!families.count)
		_exit(1);
	struct guard_options options = options_of(&all->at[first].legacy, state);
	_exit(supervisor_take_over(&options, bell, families.at, families.count) ? 1 : 0);
}

static int start_supervisor(const char *state, const orphan_list *all, size_t first, size_t end, struct adopted *out)
{
	int ends[2];
	struct { unsigned processes; char problem[256]; } heard = {0};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	pid_t between = fork();
	if (between < 0)
		return -errno;
	if (!between) {
		int kept = daemon_become(ends[1]);
		take_over(state, all, first, end, kept);
	}
	close(ends[1]);
	waitpid(between, NULL, 0);
	ssize_t got = recv(ends[0], &heard, sizeof heard, 0);
	close(ends[0]);
	out->processes += heard.processes;
	out->supervisors += heard.processes != 0;
	if (got != sizeof heard || *heard.problem)
		snprintf(out->problem, sizeof out->problem, "%s", got == sizeof heard ? heard.problem : "the supervisor did not start");
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
