#include "inject/attach.h"

#include <clearview/guest_signals.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/zone.h"
#include "inject/handover.h"
#include "inject/memory.h"

enum { PAGE = 4096, SIGNALS = 64 };
enum { FILE_CODE, FILE_SHARED, FILE_BELL, FILE_COUNT };

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

struct entering {
	struct foothold *foothold;
	struct threads *threads;
	const struct boot_plan *plan;
	uint64_t scratch; /* a page of the process */
	VEC(struct piece { uint64_t start, size; }) mapped;
	VEC(struct former { int signal; struct guest_action action; }) taken;
	struct guest_private private;
	struct guest_signals signals;
};

static uint64_t private_at(const struct entering *e)
{
	return e->plan->base + GUEST_PRIVATE_OFFSET;
}

static bool failed(long result)
{
	return result < 0 && result > -PAGE;
}

/* --- Memory. */

static int map(struct entering *e, uint64_t at, uint64_t size, int protection, int flags, int fd, uint64_t offset)
{
	long result = foothold_call(e->foothold, SYS_mmap, at, size, protection, flags, fd, offset);
	if (failed(result))
		return (int)result;
	if (at && (uint64_t)result != at) { /* an old kernel takes MAP_FIXED_NOREPLACE for a hint */
		foothold_call(e->foothold, SYS_munmap, result, size, 0, 0, 0, 0);
		return -EEXIST;
	}
	if (!(flags & MAP_FIXED))
		vec_push(&e->mapped, (struct piece){result, size});
	return 0;
}

static int map_scratch(struct entering *e)
{
	int status = map(e, 0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!status)
		e->scratch = e->mapped.at[e->mapped.count - 1].start;
	return status;
}

static int map_pieces(struct entering *e, const int fds[FILE_COUNT])
{
	const struct boot_plan *p = e->plan;
	const int code = PROT_READ | PROT_EXEC, data = PROT_READ | PROT_WRITE, fresh = MAP_SHARED | MAP_FIXED_NOREPLACE;
	const uint64_t stacks = GUEST_PRIVATE_OFFSET + STACKS_OFFSET, stacks_size = THREADS_OFFSET - STACKS_OFFSET + SIGNAL_THREADS * sizeof(struct thread_signals);
	const struct {
		uint64_t at, size;
		int protection, flags, fd;
		uint64_t offset;
	} pieces[] = {
		{p->base, GUEST_CODE_OFFSET + ZONE_SIZE, code, fresh, fds[FILE_CODE], 0},
		{p->base + GUEST_PRIVATE_OFFSET, GUEST_BELL_OFFSET - GUEST_PRIVATE_OFFSET, data, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0},
		{p->base + GUEST_BELL_OFFSET, PAGE, data, MAP_SHARED | MAP_FIXED, fds[FILE_BELL], p->bell_offset},
		{p->base + GUEST_SHARED_OFFSET, GUEST_SHARED_SIZE, data, MAP_SHARED | MAP_FIXED, fds[FILE_SHARED], 0},
		{p->base + stacks, stacks_size, data, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0},
		{p->zone[1], ZONE_SIZE, code, fresh, fds[FILE_CODE], GUEST_CODE_OFFSET + ZONE_SIZE},
	};
	int status = 0;
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces && !status; i++)
		if (pieces[i].at)
			status = map(e, pieces[i].at, pieces[i].size, pieces[i].protection, pieces[i].flags, pieces[i].fd, pieces[i].offset);
	if (!status)
		status = (int)foothold_call(e->foothold, SYS_madvise, private_at(e) + PROCESS_OFFSET, PAGE, MADV_WIPEONFORK, 0, 0, 0);
	if (!status && p->no_exec_size)
		status = (int)foothold_call(e->foothold, SYS_mprotect, p->no_exec_start, p->no_exec_size, data | PROT_GROWSDOWN, 0, 0, 0);
	return status;
}

static int map_memory(struct entering *e, const struct guest_memory *g, int bell_fd)
{
	int code = handover_read_only(g->code_fd);
	const int ours[FILE_COUNT] = {[FILE_CODE] = code, [FILE_SHARED] = g->shared_fd, [FILE_BELL] = bell_fd};
	int theirs[FILE_COUNT], status = code < 0 ? code : map_scratch(e);
	if (!status)
		status = handover(e->foothold, e->scratch, ours, FILE_COUNT, theirs);
	if (code >= 0)
		close(code);
	if (status)
		return status;
	status = map_pieces(e, theirs);
	for (int i = 0; i < FILE_COUNT; i++)
		foothold_call(e->foothold, SYS_close, theirs[i], 0, 0, 0, 0, 0);
	return status;
}

/* --- Signals. */

/* A set from /proc/PID/status: bit s-1. */
static uint64_t status_set(pid_t pid, const char *field)
{
	char name[32], line[128], wanted[16];
	unsigned long long set = 0;
	snprintf(name, sizeof name, "/proc/%d/status", pid);
	snprintf(wanted, sizeof wanted, "%s: %%llx", field);
	FILE *f = fopen(name, "re");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, wanted, &set) == 1)
			break;
	if (f)
		fclose(f);
	return set;
}

static int get_action(struct entering *e, int signal, struct guest_action *out)
{
	int status = (int)foothold_call(e->foothold, SYS_rt_sigaction, signal, 0, e->scratch, 8, 0, 0);
	return status ? status : memory_read_all(e->foothold->pid, e->scratch, out, sizeof *out);
}

static int set_action(struct entering *e, int signal, const struct guest_action *a)
{
	int status = memory_write(e->foothold->pid, e->scratch, a, sizeof *a);
	return status ? status : (int)foothold_call(e->foothold, SYS_rt_sigaction, signal, e->scratch, 0, 8, 0, 0);
}

/* Handlers of signals that aren't ours are entered through the blob; what the kernel is to know of them. */
static struct guest_action shown_through(struct entering *e, int signal, const struct guest_action *a, uint64_t entry)
{
	struct guest_action new = *a;
	e->private.hidden_mask[signal] = a->mask & FAULT_SIGNALS;
	new.mask &= ~FAULT_SIGNALS;
	*(a->flags & SA_ONSTACK_ ? &e->signals.on_stack : &e->signals.plain_handlers) |= SIGNAL_BIT(signal);
	e->signals.handler[signal] = a->handler;
	new.handler = entry;
	return new;
}

/* Interrupted waits go on or not as the program's action says (sigactions.c). */
static struct guest_action owned(const struct guest_action *a, uint64_t blob, const struct guest_header *h)
{
	uint64_t restart = a->handler <= 1 || a->flags & SA_RESTART_ ? SA_RESTART_ : 0;
	return (struct guest_action){blob + h->entry[ENTRY_SIGNAL], OWN_FLAGS | restart, blob + h->entry[ENTRY_RESTORER], ~FAULT_SIGNALS};
}

static int plan_signals(struct entering *e, const struct guest_header *h, struct guest_action new[SIGNALS + 1], uint64_t *change)
{
	uint64_t caught = status_set(e->foothold->pid, "SigCgt");
	*change = caught | OWNED_SIGNALS;
	for (int s = 1; s <= SIGNALS; s++) {
		struct guest_action a;
		int status = *change & SIGNAL_BIT(s) ? get_action(e, s, &a) : -ENOENT;
		if (status == -ENOENT)
			continue;
		if (status)
			return status;
		vec_push(&e->taken, (struct former){s, a});
		if (OWNED_SIGNALS & SIGNAL_BIT(s)) {
			e->private.action[s] = a;
			new[s] = owned(&a, e->plan->base, h);
		} else {
			new[s] = shown_through(e, s, &a, e->plan->base + h->entry[ENTRY_HANDLER]);
		}
	}
	return 0;
}

static int take_signals(struct entering *e, const struct guest_action new[SIGNALS + 1])
{
	int status = 0;
	for (size_t i = 0; i < e->taken.count && !status; i++)
		status = set_action(e, e->taken.at[i].signal, &new[e->taken.at[i].signal]);
	return status;
}

/* --- Threads. */

/* A thread's entry in the blob's table of masks: threads.c has the same search. */
static int put_thread(struct entering *e, struct thread_signals *table, const struct thread *one)
{
	enum { WINDOW = 16 };
	for (unsigned i = 0; i < WINDOW; i++) {
		struct thread_signals *t = &table[((uint32_t)one->guest_tid + i) % SIGNAL_THREADS];
		if (t->tid)
			continue;
		*t = (struct thread_signals){.tid = one->guest_tid, .believed = one->mask & FAULT_SIGNALS};
		e->signals.threads_used++;
		return 0;
	}
	return -ENOSPC;
}

/* What threads believe to have blocked of the signals that are never blocked really. */
static int note_masks(struct entering *e)
{
	struct thread_signals *table = calloc(SIGNAL_THREADS, sizeof *table);
	int status = table ? 0 : -ENOMEM;
	for (size_t i = 0; i < e->threads->all.count && !status; i++) {
		const struct thread *one = &e->threads->all.at[i];
		if (!one->is_gone && one->mask & FAULT_SIGNALS)
			status = put_thread(e, table, one);
	}
	if (!status && e->signals.threads_used)
		status = memory_write(e->foothold->pid, private_at(e) + THREADS_OFFSET, table, SIGNAL_THREADS * sizeof *table);
	free(table);
	return status;
}

static void open_masks(struct threads *t)
{
	for (size_t i = 0; i < t->all.count; i++)
		t->all.at[i].mask &= ~FAULT_SIGNALS;
}

/* Which of our alternate stacks each thread gets, if it has none. */
static void choose_stacks(struct entering *e, int chosen[])
{
	for (size_t i = 0; i < e->threads->all.count; i++) {
		const struct thread *one = &e->threads->all.at[i];
		chosen[i] = -1;
		for (unsigned k = 0; k < ALTSTACKS && chosen[i] < 0 && !one->is_gone; k++) {
			unsigned at = ((uint32_t)one->guest_tid + k) % ALTSTACKS;
			if (e->signals.stack_owner[at])
				continue;
			e->signals.stack_owner[at] = one->guest_tid;
			chosen[i] = at;
		}
		if (chosen[i] < 0 && !one->is_gone) /* nobody asks it */
			e->signals.own_stacks = 1;
	}
}

/* One that has a stack of its own keeps it. Not having one of ours only means that an exhausted stack kills without a word. */
static void give_stack(struct entering *e, unsigned at)
{
	struct foothold *f = e->foothold;
	struct signal_stack former = {0}, ours = {.sp = private_at(e) + STACKS_OFFSET + (uint64_t)at * ALTSTACK_SIZE, .size = ALTSTACK_SIZE};
	uint64_t former_at = e->scratch + sizeof ours;
	bool given = !memory_write(f->pid, e->scratch, &ours, sizeof ours) && !foothold_call(f, SYS_sigaltstack, e->scratch, former_at, 0, 0, 0, 0) &&
		     !memory_read_all(f->pid, former_at, &former, sizeof former);
	if (given && former.flags & SS_DISABLE_)
		return;
	e->signals.stack_owner[at] = 0;
	e->signals.own_stacks = 1;
	if (given)
		foothold_call(f, SYS_sigaltstack, former_at, 0, 0, 0, 0, 0);
}

/* Each thread has to do it itself; likewise its gs base, where returns are watched. Returns with the first one in the foothold again. */
static int give_stacks(struct entering *e, const int chosen[])
{
	struct foothold *f = e->foothold;
	struct thread *first = f->thread;
	for (size_t i = 0; i < e->threads->all.count; i++) {
		struct thread *one = &e->threads->all.at[i];
		if (one->is_gone || (chosen[i] < 0 && !e->plan->shadow))
			continue;
		if (f->thread)
			foothold_leave(f);
		int status = foothold_enter(f, one);
		if (!status && e->plan->shadow)
			status = foothold_gs_base(f, e->plan->shadow);
		if (status)
			return status;
		if (chosen[i] >= 0)
			give_stack(e, chosen[i]);
	}
	if (f->thread)
		foothold_leave(f);
	return first->is_gone ? -ESRCH : foothold_enter(f, first);
}

/* Where no thread has a stack of its own, handlers go on without: they would run on ours. */
static int keep_off_stacks(struct entering *e, struct guest_action new[SIGNALS + 1])
{
	int status = 0;
	for (int s = 1; s <= SIGNALS && !status && !e->signals.own_stacks; s++) {
		new[s].flags &= ~(uint64_t)SA_ONSTACK_;
		if (e->signals.on_stack & SIGNAL_BIT(s))
			status = set_action(e, s, &new[s]);
	}
	return status;
}

/* --- All of it. */

static int write_data(struct entering *e)
{
	struct guest_process process = {.pid = guest_number(e->foothold->pid, e->foothold->pid)};
	pid_t pid = e->foothold->pid;
	int status = memory_write(pid, private_at(e), &e->private, sizeof e->private);
	if (!status)
		status = memory_write(pid, private_at(e) + SIGNALS_OFFSET, &e->signals, sizeof e->signals);
	return status ? status : memory_write(pid, private_at(e) + PROCESS_OFFSET, &process, sizeof process);
}

static int enter_signals(struct entering *e, const struct guest_header *h, const char **what)
{
	struct guest_action new[SIGNALS + 1] = {0};
	uint64_t change;
	int *chosen = calloc(e->threads->all.count, sizeof *chosen);
	if (!chosen)
		return -ENOMEM;
	*what = "its signal actions can't be read";
	int status = plan_signals(e, h, new, &change);
	choose_stacks(e, chosen);
	*what = "its signal masks can't be noted";
	if (!status)
		status = note_masks(e);
	*what = "the blob's data can't be written";
	if (!status)
		status = write_data(e);
	*what = "its signals can't be taken over";
	if (!status)
		status = take_signals(e, new);
	if (!status)
		status = give_stacks(e, chosen);
	if (!status)
		status = keep_off_stacks(e, new);
	if (!status)
		status = memory_write(e->foothold->pid, private_at(e) + SIGNALS_OFFSET, &e->signals, sizeof e->signals);
	free(chosen);
	return status;
}

static void undo(struct entering *e)
{
	for (size_t i = 0; i < e->taken.count; i++)
		set_action(e, e->taken.at[i].signal, &e->taken.at[i].action);
	for (size_t i = e->mapped.count; i-- > 0;)
		foothold_call(e->foothold, SYS_munmap, e->mapped.at[i].start, e->mapped.at[i].size, 0, 0, 0, 0);
}

static struct thread *first_thread(struct threads *t)
{
	for (size_t i = 0; i < t->all.count; i++)
		if (!t->all.at[i].is_gone)
			return &t->all.at[i];
	return NULL;
}

int attach_enter(struct foothold *f, struct threads *t, const struct guest_memory *g, int bell_fd, const struct boot_plan *plan, const char **what)
{
	struct entering e = {.foothold = f, .threads = t, .plan = plan, .private.incomplete = 1, .signals.filtered = t->is_filtered, .signals.stack_end = plan->stack_end};
	struct thread *first = first_thread(t);
	*what = "its text can't be written (a hardened kernel, or another tracer)";
	int status = first ? foothold_enter(f, first) : -ESRCH;
	if (status)
		return status;
	*what = "memory can't be shared with it";
	status = map_memory(&e, g, bell_fd);
	if (!status)
		status = enter_signals(&e, (const struct guest_header *)g->code, what);
	if (status && f->thread)
		undo(&e);
	else if (!status)
		foothold_call(f, SYS_munmap, e.scratch, PAGE, 0, 0, 0, 0);
	if (f->thread)
		foothold_leave(f);
	if (!status)
		open_masks(t);
	vec_free(&e.mapped);
	vec_free(&e.taken);
	int wiped = foothold_wipe(f);
	return status ? status : wiped;
}
