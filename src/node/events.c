/* The mailbox's other end: reads posted events, answers them. Everything in a slot comes from the guest and is checked before use. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/log.h"
#include "inject/memory.h"
#include "node/detach.h"
#include "node/failures.h"
#include "node/firewall.h"
#include "node/learning.h"
#include "node/progress.h"
#include "node/provoke.h"
#include "node/supervisor.h"
#include "node/tracers.h"
#include "node/weavers.h"

/* A private copy: the guest could change the slot while we look. */
struct event_in {
	uint32_t kind;
	pid_t pid, tid;
	uint64_t arg[6];
};

typedef uint64_t event_handler(struct supervisor *s, struct family *f, const struct event_in *e);

static uint64_t on_fault(struct supervisor *s, struct family *f, const struct event_in *e)
{
	return failures_fault(s, f, e->pid, e->tid, (int)e->arg[0], e->arg[1], e->arg[2]);
}

static uint64_t on_write(struct supervisor *s, struct family *f, const struct event_in *e)
{
	return failures_write(s, f, e->pid, e->tid, e->arg);
}

static uint64_t on_return(struct supervisor *s, struct family *f, const struct event_in *e)
{
	return failures_return(s, f, e->pid, e->tid, e->arg[1], e->arg[2]);
}

static uint64_t on_transfer(struct supervisor *s, struct family *f, const struct event_in *e)
{
	if (e->arg[3])
		return failures_transfer(s, f, e->pid, e->tid, e->arg);
	return firewall_judge(f, e->pid, e->arg[0], e->arg[1]);
}

static uint64_t on_approve(struct supervisor *s, struct family *f, const struct event_in *e)
{
	firewall_approve(f, e->arg[0]);
	return 0;
}

static uint64_t on_executable(struct supervisor *s, struct family *f, const struct event_in *e)
{
	return firewall_executable(f, e->pid, e->arg);
}

static uint64_t on_landing(struct supervisor *s, struct family *f, const struct event_in *e)
{
	return image_landing(&f->image, e->arg[0]);
}

static uint64_t on_modules(struct supervisor *s, struct family *f, const struct event_in *e)
{
	if (detach_concerns(s, e->pid))
		return 0; /* what it loads stays native */
	bool changed = f->image.tables->link_state; /* else it may be about to */
	bool live = f->hook_calls++ >= (changed ? 1 : FIRST_HOOK_CALLS);
	family_loads(f, e->pid, live);
	learning_modules_ready(s, f, live);
	if (changed || f->hook_calls >= 2)
		progress_close();
	return 0;
}

/* A setuid program would lose its privileges under an unprivileged tracer: it must go on alone. */
static bool gains_privileges(pid_t pid, uint64_t path_at)
{
	char path[PATH_MAX] = {0}, seen[PATH_MAX + 32];
	struct stat st;
	if (geteuid() == 0)
		return false;
	memory_read(pid, path_at, path, sizeof path - 1);
	snprintf(seen, sizeof seen, "/proc/%d/%s%s", pid, path[0] == '/' ? "root" : "cwd/", path);
	return !stat(seen, &st) && (st.st_mode & (S_ISUID | S_ISGID) || getxattr(seen, "security.capability", NULL, 0) > 0);
}

static int filter_count(pid_t pid)
{
	char name[40], line[128];
	int count = 0;
	snprintf(name, sizeof name, "/proc/%d/status", pid);
	FILE *f = fopen(name, "re");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "Seccomp_filters: %d", &count) == 1)
			break;
	if (f)
		fclose(f);
	return count;
}

/* A program's filters let the blob's system calls through where it is now; in the next program it is elsewhere. Those that we are under ourselves, as in a
 * container, leave us alone. */
static bool stays_restricted(pid_t tid)
{
	int filters = filter_count(tid);
	if (!filters || filters <= filter_count(getpid()))
		return false;
	log_warning("what %d executes next goes on without protection: it inherits a system call filter", tid);
	return true;
}

static uint64_t on_exec(struct supervisor *s, struct family *f, const struct event_in *e)
{
	if (!gains_privileges(e->pid, e->arg[0]) && !stays_restricted(e->tid))
		follow_exec(s, e->pid, e->tid);
	return 0;
}

static uint64_t on_exec_failed(struct supervisor *s, struct family *f, const struct event_in *e)
{
	follow_cancel(s, e->pid, e->tid);
	return 0;
}

static uint64_t on_forked(struct supervisor *s, struct family *f, const struct event_in *e)
{
	return 0; /* being known is all: see member() */
}

static uint64_t on_original(struct supervisor *s, struct family *f, const struct event_in *e)
{
	return image_original(&f->image, e->arg[0]);
}

static uint64_t on_seal(struct supervisor *s, struct family *f, const struct event_in *e)
{
	struct range pages;
	return f->image.tables->lazy && image_next_seal(&f->image, e->pid, &pages) ? GUEST_PAGES(pages.start, pages.end) : 0;
}

static uint64_t fetch(struct family *f, pid_t pid, uint64_t address)
{
	struct range pages;
	const struct loaded *l = image_module_at(&f->image, address);
	return l && image_fetch(&f->image, pid, address, weavers_loader_hook(l), &pages) ? GUEST_PAGES(pages.start, pages.end) : 0;
}

/* All text of the n-th lazy module. */
static uint64_t fetch_all(struct family *f, pid_t pid, uint64_t n)
{
	for (size_t i = 0; i < f->image.modules.count; i++) {
		const struct loaded *l = f->image.modules.at[i];
		if (!l->lazy || n--)
			continue;
		uint64_t pages, at = l->text.start;
		while (at < l->text.end && (pages = fetch(f, pid, at)))
			at = GUEST_PAGES_START(pages) + GUEST_PAGES_SIZE(pages);
		uint64_t start = l->text.start & ~4095ul;
		return GUEST_PAGES(start, (l->text.end + 4095) & ~4095ul);
	}
	return 0;
}

static uint64_t on_fetch(struct supervisor *s, struct family *f, const struct event_in *e)
{
	return e->arg[0] ? fetch(f, e->pid, e->arg[0]) : fetch_all(f, e->pid, e->arg[1]);
}

static uint64_t on_step(struct supervisor *s, struct family *f, const struct event_in *e)
{
	return image_begins_insn(&f->image, e->arg[0]);
}

static uint64_t on_text(struct supervisor *s, struct family *f, const struct event_in *e)
{
	const struct loaded *l = image_module_at(&f->image, e->arg[0]);
	return l && image_process_has(l, e->pid);
}

/* How many threads could be in the family's text. */
static size_t thread_count(const struct family *f)
{
	char name[32];
	size_t count = 0;
	for (size_t i = 0; i < f->processes.count; i++) {
		struct stat st;
		snprintf(name, sizeof name, "/proc/%d/task", f->processes.at[i].pid);
		if (!stat(name, &st))
			count += st.st_nlink - 2;
	}
	return count;
}

static uint64_t on_text_write(struct supervisor *s, struct family *f, const struct event_in *e)
{
	size_t threads = thread_count(f);
	for (size_t i = 0; i < f->image.modules.count; i++) {
		struct loaded *l = f->image.modules.at[i];
		struct range text = {e->arg[0] > l->text.start ? e->arg[0] : l->text.start, e->arg[1] < l->text.end ? e->arg[1] : l->text.end};
		if (text.start < text.end && image_process_has(l, e->pid))
			image_give_up(&f->image, l, text, threads == 1);
	}
	image_commit(&f->image, true);
	return 0;
}

static uint64_t on_signalfd(struct supervisor *s, struct family *f, const struct event_in *e)
{
	weave_signal_descriptors(f);
	family_apply(f, true);
	return 0;
}

static uint64_t on_traced(struct supervisor *s, struct family *f, const struct event_in *e)
{
	tracers_announced(s, e->arg[0] ? (pid_t)e->arg[0] : e->tid);
	return 0;
}

static uint64_t on_heap(struct supervisor *s, struct family *f, const struct event_in *e)
{
	return failures_heap(s, f, e->pid, e->tid, e->arg);
}

static event_handler *const handlers[] = {
	[EVENT_FAULT] = on_fault,         [EVENT_LANDING] = on_landing, [EVENT_MODULES] = on_modules,   [EVENT_EXEC] = on_exec,
	[EVENT_EXEC_FAILED] = on_exec_failed, [EVENT_FORKED] = on_forked, [EVENT_HEAP] = on_heap, [EVENT_ORIGINAL] = on_original,
	[EVENT_TEXT] = on_text,           [EVENT_TEXT_WRITE] = on_text_write,
	[EVENT_SEAL] = on_seal,           [EVENT_FETCH] = on_fetch,
	[EVENT_STEP] = on_step,           [EVENT_SIGNALFD] = on_signalfd,
	[EVENT_RETURN] = on_return,
	[EVENT_WRITE] = on_write,
	[EVENT_TRANSFER] = on_transfer,
	[EVENT_EXECUTABLE] = on_executable,
	[EVENT_APPROVE] = on_approve,
	[EVENT_TRACED] = on_traced,
};

/* A fresh child has none but the one that waits for our answer. */
static bool has_one_thread(pid_t pid)
{
	enum { LINKS = 2 }; /* of a folder without others in it */
	char name[32];
	struct stat st;
	snprintf(name, sizeof name, "/proc/%d/task", pid);
	return !stat(name, &st) && st.st_nlink == LINKS + 1;
}

/* The sender must be what it says: a process of this family. One that we don't know yet is looked at; a fork is brought up to date. */
static bool member(struct family *f, const struct event_in *e)
{
	if (family_process(f, e->pid))
		return true;
	if (!family_owns(f, e->pid))
		return false;
	if (e->kind == EVENT_EXEC || e->kind == EVENT_EXEC_FAILED || e->kind == EVENT_FETCH || e->kind == EVENT_TRACED)
		return true; /* a vforked child on its way to another program: not worth getting to know */
	pid_t parent = e->kind == EVENT_FORKED ? (pid_t)e->arg[0] : 0;
	uint32_t generation = e->kind == EVENT_FORKED ? (uint32_t)e->arg[1] : 0;
	if (family_add_process(f, e->pid, parent, f->image.generation))
		return false;
	image_inherit_seals(&f->image, parent, e->pid);
	if (!parent || !family_process(f, parent))
		family_modules(f, e->pid, true);
	if (detach_concerns(f->supervisor, parent))
		generation = 0; /* its text was on the way back */
	if (generation != f->image.generation)
		image_update_process(&f->image, e->pid, generation, e->kind != EVENT_FORKED || !has_one_thread(e->pid));
	return true;
}

static void reply(struct guest_slot *slot, uint64_t value)
{
	uint32_t taken = SLOT_TAKEN;
	slot->reply[0] = value;
	/* A guest that has given up on us has freed the slot. */
	__atomic_compare_exchange_n(&slot->state, &taken, SLOT_REPLIED, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	syscall(SYS_futex, &slot->state, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* False: nobody can have posted that. */
static bool handle(struct supervisor *s, struct family *f, struct guest_slot *slot)
{
	struct event_in e = {.kind = slot->kind, .pid = (pid_t)slot->pid, .tid = (pid_t)slot->tid};
	memcpy(e.arg, slot->arg, sizeof e.arg);
	uint64_t value = 0;
	log_debug("event %u from %d/%d: %#lx %#lx %#lx", e.kind, e.pid, e.tid, e.arg[0], e.arg[1], e.arg[2]);
	bool is_sane = e.kind < sizeof handlers / sizeof handlers[0] && handlers[e.kind] && process_has_thread(e.pid, e.tid) && member(f, &e);
	if (is_sane)
		value = handlers[e.kind](s, f, &e);
	reply(slot, value);
	return is_sane;
}

/* Posts what was taken and not answered again; frees what nobody waits for any more. */
void events_inherit(struct family *f)
{
	for (int k = 0; k < GUEST_SLOTS; k++) {
		struct guest_slot *slot = &f->image.shared->slot[k];
		uint32_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
		if (state == SLOT_FREE || state == SLOT_CLAIMED)
			continue;
		pid_t tid = slot->tid;
		bool waited_for = tid > 0 && !kill(tid, 0);
		uint32_t to = !waited_for ? SLOT_FREE : state == SLOT_TAKEN ? SLOT_POSTED : state;
		__atomic_compare_exchange_n(&slot->state, &state, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	}
}

/* Threads that ended before they saw the reply (killed, or all of a process by an exec) leave their slots to us. */
static void sweep_slots(struct family *f)
{
	enum { EVERY_US = 200000 };
	if (clock_us() - f->swept_us < EVERY_US)
		return;
	f->swept_us = clock_us();
	for (int k = 0; k < GUEST_SLOTS; k++) {
		struct guest_slot *slot = &f->image.shared->slot[k];
		uint32_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
		if (state == SLOT_TAKEN) /* and nobody has it in hand: it was lost */
			__atomic_compare_exchange_n(&slot->state, &state, SLOT_POSTED, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
		if (state != SLOT_REPLIED && state != SLOT_CLAIMED)
			continue;
		pid_t pid = slot->pid, tid = slot->tid;
		if (pid > 0 && tid > 0 && syscall(SYS_tgkill, pid, tid, 0) && errno == ESRCH)
			__atomic_compare_exchange_n(&slot->state, &state, SLOT_FREE, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	}
}

/* A family that posts what can't be gets a rest, so that we get one. */
static void count_nonsense(struct family *f)
{
	enum { BEARABLE = 16, REST_US = 10000 };
	if (++f->nonsense < BEARABLE)
		return;
	f->nonsense = 0;
	f->deaf_until_us = clock_us() + REST_US;
}

static bool take(struct guest_slot *slot)
{
	uint32_t posted = SLOT_POSTED;
	return __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) == SLOT_POSTED &&
	       __atomic_compare_exchange_n(&slot->state, &posted, SLOT_TAKEN, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static bool is_deaf(const struct family *f)
{
	return f->deaf_until_us && clock_us() < f->deaf_until_us;
}

/* A few at a time, going around: one family with much to say must not keep the others waiting. */
static bool handle_some(struct supervisor *s, struct family *f)
{
	enum { A_TIME = 8, SLICE_US = 2000 };
	unsigned handled = 0, first = f->next_slot;
	int64_t began = clock_us();
	for (unsigned i = 0; i < GUEST_SLOTS && handled < A_TIME && (!handled || clock_us() - began < SLICE_US) && !is_deaf(f); i++) {
		unsigned k = (first + i) % GUEST_SLOTS;
		if (!take(&f->image.shared->slot[k]))
			continue;
		handled++;
		f->next_slot = k + 1;
		if (provoke_event(s))
			continue;
		if (!handle(s, f, &f->image.shared->slot[k]))
			count_nonsense(f);
	}
	return handled;
}

bool events_handle(struct supervisor *s)
{
	bool any = false;
	for (size_t i = 0; i < s->families.count; i++) {
		sweep_slots(s->families.at[i]);
		if (!handle_some(s, s->families.at[i]))
			continue;
		bell_answered(&s->bell, s->families.at[i]->plan.bell_offset);
		any = true;
	}
	return any;
}
