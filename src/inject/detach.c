#include "inject/detach.h"

#include <clearview/guest_signals.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "base/vec.h"
#include "engine/zone.h"
#include "inject/maps.h"
#include "inject/memory.h"

enum { PAGE = 4096, SIGNALS = 64 };

struct leaving {
	const struct detach_view *view;
	struct foothold *foothold;
	struct threads *threads;
	uint64_t scratch; /* a page of the process */
	struct guest_private private;
	struct guest_signals signals;
	struct guest_process process;
	struct thread_signals table[SIGNAL_THREADS];
};

static uint64_t private_at(const struct boot_plan *p)
{
	return p->base + GUEST_PRIVATE_OFFSET;
}

static int read_data(struct leaving *l)
{
	pid_t pid = l->view->pid;
	uint64_t at = private_at(l->view->plan);
	int status = memory_read_all(pid, at, &l->private, sizeof l->private);
	if (!status)
		status = memory_read_all(pid, at + SIGNALS_OFFSET, &l->signals, sizeof l->signals);
	if (!status)
		status = memory_read_all(pid, at + PROCESS_OFFSET, &l->process, sizeof l->process);
	return status ? status : memory_read_all(pid, at + THREADS_OFFSET, l->table, sizeof l->table);
}

/* --- Signals. */

static int get_action(struct leaving *l, int signal, struct guest_action *out)
{
	int status = (int)foothold_call(l->foothold, SYS_rt_sigaction, signal, 0, l->scratch, 8, 0, 0);
	return status ? status : memory_read_all(l->view->pid, l->scratch, out, sizeof *out);
}

static int set_action(struct leaving *l, int signal, const struct guest_action *a)
{
	int status = memory_write(l->view->pid, l->scratch, a, sizeof *a);
	return status ? status : (int)foothold_call(l->foothold, SYS_rt_sigaction, signal, l->scratch, 0, 8, 0, 0);
}

/* A handler of the program's that the kernel enters through the blob. */
static int give_back_other(struct leaving *l, int signal, uint64_t entry)
{
	struct guest_action a;
	int status = get_action(l, signal, &a);
	if (status || a.handler != entry)
		return status;
	a.handler = l->signals.handler[signal];
	a.mask |= l->private.hidden_mask[signal];
	if (l->signals.on_stack & SIGNAL_BIT(signal))
		a.flags |= SA_ONSTACK_;
	return set_action(l, signal, &a);
}

static int give_back_signals(struct leaving *l)
{
	struct guest_header h;
	int status = memory_read_all(l->view->pid, l->view->plan->base, &h, sizeof h);
	for (int s = 1; s <= SIGNALS && !status; s++) {
		if (OWNED_SIGNALS & SIGNAL_BIT(s))
			status = set_action(l, s, &l->private.action[s]);
		else if (l->signals.handler[s])
			status = give_back_other(l, s, l->view->plan->base + h.entry[ENTRY_HANDLER]);
	}
	return status;
}

static const struct thread_signals *entry_of(const struct leaving *l, pid_t tid)
{
	enum { WINDOW = 16 };
	for (unsigned i = 0; i < WINDOW; i++) {
		const struct thread_signals *t = &l->table[((uint32_t)tid + i) % SIGNAL_THREADS];
		if (t->tid == (uint32_t)tid)
			return t;
	}
	return NULL;
}

/* In front of a system call that returns from a handler, behind its probe: the mask in the frame is the kernel's already, without what the thread will believe. */
static int restore_frame(const struct leaving *l, const struct thread *one, uint64_t believed)
{
	enum { RETURNING = 256, MASK = 296 }; /* in the kernel's ucontext */
	uint64_t frame = one->regs.rsp, sign, mask;
	bool returns = one->regs.rax == SYS_rt_sigreturn && !memory_read_all(l->view->pid, frame + RETURNING, &sign, sizeof sign) && sign == FRAME_RETURNS;
	if (!believed || !returns || memory_read_all(l->view->pid, frame + MASK, &mask, sizeof mask))
		return 0;
	mask |= believed;
	return memory_write(l->view->pid, frame + MASK, &mask, sizeof mask);
}

/* What each thread believes becomes true; none is watched any longer. */
static int give_back_masks(struct leaving *l)
{
	for (size_t i = 0; i < l->threads->all.count; i++) {
		struct thread *one = &l->threads->all.at[i];
		const struct thread_signals *t = one->is_gone ? NULL : entry_of(l, one->guest_tid);
		bool is_ours = one->regs.gs_base == l->view->plan->shadow || one->regs.gs_base == GUEST_SHADOW_NONE;
		if (l->view->plan->shadow && is_ours) {
			one->regs.gs_base = 0;
			one->is_moved = true;
		}
		uint64_t believed = t ? t->believed & FAULT_SIGNALS : 0;
		one->mask = (one->mask & ~FAULT_SIGNALS) | believed;
		int status = one->is_gone ? 0 : restore_frame(l, one, believed);
		if (status)
			return status;
	}
	return 0;
}

/* A copy of it is pending already, for a thread that waits with a descriptor (guest/descriptors.c). */
static bool is_offered(const struct leaving *l, const struct held_signal *h)
{
	for (size_t i = 0; i < SIGNAL_THREADS; i++) {
		const struct thread_signals *t = &l->table[i];
		if (t->tid && t->offered & SIGNAL_BIT(h->info.signo) && (!h->tid || h->tid == t->tid))
			return true;
	}
	return false;
}

static bool is_pending_for_all(const struct leaving *l, int signal)
{
	struct __ptrace_peeksiginfo_args which = {.flags = PTRACE_PEEKSIGINFO_SHARED, .nr = 1};
	siginfo_t info;
	for (; ptrace(PTRACE_PEEKSIGINFO, l->foothold->thread->tid, &which, &info) == 1; which.off++)
		if (info.si_signo == signal)
			return true;
	return false;
}

static int take_pending(struct leaving *l, int signal, struct guest_siginfo *info)
{
	enum { AT_TIME = 16, AT_INFO = 64 };
	struct { uint64_t set, unused, now[2]; } ask = {.set = SIGNAL_BIT(signal)};
	int status = memory_write(l->view->pid, l->scratch, &ask, sizeof ask);
	if (!status && foothold_call(l->foothold, SYS_rt_sigtimedwait, l->scratch, l->scratch + AT_INFO, l->scratch + AT_TIME, 8, 0, 0) != signal)
		status = -EAGAIN;
	return status ? status : memory_read_all(l->view->pid, l->scratch + AT_INFO, info, sizeof *info);
}

/* The held one came first, and is queued last: one that our handler hasn't seen yet would win. The thread's own come out before it, and are put back. */
static void drop_later(struct leaving *l, const struct held_signal *h)
{
	enum { SI_TKILL_ = -6 };
	struct guest_siginfo info;
	bool own = false;
	while (!h->tid && is_pending_for_all(l, h->info.signo) && !take_pending(l, h->info.signo, &info))
		own |= info.code == SI_TKILL_;
	if (own)
		foothold_call(l->foothold, SYS_tgkill, l->process.pid, l->foothold->thread->guest_tid, h->info.signo, 0, 0, 0);
}

/* Signals that threads believe pending: sent again, they wait for their masks. Released ones are pending already, without what they carry. */
static int give_back_held(struct leaving *l)
{
	for (int i = 0; i < HELD_MAX; i++) {
		const struct held_signal *h = &l->process.held[i];
		if (h->state != HELD || h->info.signo < 1 || h->info.signo > SIGNALS || is_offered(l, h))
			continue;
		drop_later(l, h);
		int status = memory_write(l->view->pid, l->scratch, &h->info, sizeof h->info);
		if (status)
			return status;
		if (h->tid)
			foothold_call(l->foothold, SYS_rt_tgsigqueueinfo, l->process.pid, h->tid, h->info.signo, l->scratch, 0, 0);
		else
			foothold_call(l->foothold, SYS_rt_sigqueueinfo, l->process.pid, h->info.signo, l->scratch, 0, 0, 0);
	}
	return 0;
}

/* --- Alternate stacks. */

static bool owns_stack(const struct leaving *l, pid_t tid)
{
	for (unsigned i = 0; i < ALTSTACKS; i++)
		if (l->signals.stack_owner[i] == (uint32_t)tid)
			return true;
	return false;
}

/* The thread stands in the foothold. */
static int take_stack(struct leaving *l)
{
	struct signal_stack now;
	uint64_t stacks = private_at(l->view->plan) + STACKS_OFFSET;
	int status = (int)foothold_call(l->foothold, SYS_sigaltstack, 0, l->scratch, 0, 0, 0, 0);
	if (!status)
		status = memory_read_all(l->view->pid, l->scratch, &now, sizeof now);
	if (status || now.sp - stacks >= (uint64_t)ALTSTACKS * ALTSTACK_SIZE)
		return status;
	now = (struct signal_stack){.flags = SS_DISABLE_};
	status = memory_write(l->view->pid, l->scratch, &now, sizeof now);
	return status ? status : (int)foothold_call(l->foothold, SYS_sigaltstack, l->scratch, 0, 0, 0, 0, 0);
}

/* Returns with the first thread in the foothold again. */
static int take_stacks(struct leaving *l)
{
	struct foothold *f = l->foothold;
	struct thread *first = f->thread;
	int status = 0;
	for (size_t i = 0; i < l->threads->all.count && !status; i++) {
		struct thread *one = &l->threads->all.at[i];
		if (one->is_gone || !owns_stack(l, one->guest_tid))
			continue;
		if (f->thread)
			foothold_leave(f);
		status = foothold_enter(f, one);
		if (!status)
			status = take_stack(l);
	}
	if (f->thread)
		foothold_leave(f);
	return status ? status : first->is_gone ? -ESRCH : foothold_enter(f, first);
}

/* --- Memory. */

static void unmap(struct leaving *l, uint64_t at, uint64_t size)
{
	if (at && size)
		foothold_call(l->foothold, SYS_munmap, at, size, 0, 0, 0, 0);
}

/* The numbers of the allocation map's maps are listed; only the directory knows those beyond the list. */
static void unmap_regions(struct leaving *l)
{
	const struct guest_heap *h = &l->private.heap;
	bool is_listed = h->region_count <= HEAP_REGION_LIST;
	uint64_t at[PAGE / 8];
	for (uint64_t i = 0; h->directory && is_listed && i < h->region_count; i++)
		if (!memory_read_all(l->view->pid, h->directory + h->region[i] % HEAP_REGIONS * 8ull, at, 8))
			unmap(l, at[0], HEAP_MAP_SIZE);
	for (uint64_t n = 0; h->directory && !is_listed && n < HEAP_REGIONS; n += PAGE / 8)
		if (!memory_read_all(l->view->pid, h->directory + n * 8, at, sizeof at))
			for (size_t i = 0; i < PAGE / 8; i++)
				unmap(l, at[i], HEAP_MAP_SIZE);
	unmap(l, h->directory, HEAP_DIRECTORY_SIZE);
}

static void unmap_slots(struct leaving *l)
{
	struct guest_heap_slot slot;
	uint64_t slots = l->private.heap.slots;
	for (unsigned i = 0; slots && i < HEAP_SLOTS; i++)
		if (!memory_read_all(l->view->pid, slots + i * sizeof slot, &slot, sizeof slot) && slot.state == HEAP_SLOT_QUARANTINED)
			unmap(l, slot.start, slot.end - slot.start);
	unmap(l, slots, HEAP_SLOTS * sizeof slot);
}

/* Pieces of the shadow: memory without a name, of their size and alignment, where stacks' shadows are. */
static void unmap_shadow(struct leaving *l)
{
	struct maps maps;
	const uint64_t low = GUEST_SHADOW + (1ull << 46), high = GUEST_SHADOW + (1ull << 47), rest = GUEST_SHADOW_PIECE - 1;
	if (!l->view->plan->shadow || maps_read(l->view->pid, &maps))
		return;
	for (size_t i = 0; i < maps.count; i++) {
		const struct mapping *m = &maps.at[i];
		bool is_piece = m->start >= low && m->end <= high && !m->inode && m->writable && !*m->path && !((m->start | m->end) & rest);
		if (is_piece)
			unmap(l, m->start, m->end - m->start);
	}
	maps_free(&maps);
}

static void unmap_all(struct leaving *l)
{
	const struct boot_plan *p = l->view->plan;
	unmap_slots(l);
	unmap_regions(l);
	unmap_shadow(l);
	unmap(l, l->private.saved_frames, GUEST_SAVED_SIZE);
	unmap(l, p->zone[1], ZONE_SIZE);
	unmap(l, p->base, GUEST_CODE_OFFSET + ZONE_SIZE);
	if (p->no_exec_size)
		foothold_call(l->foothold, SYS_mprotect, p->no_exec_start, p->no_exec_size, PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN, 0, 0, 0);
}

/* --- All of it. */

static int map_scratch(struct leaving *l)
{
	long at = foothold_call(l->foothold, SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at < 0 && at > -PAGE)
		return (int)at;
	l->scratch = at;
	return 0;
}

/* From here on a later supervisor must not adopt it. */
static int announce(struct leaving *l)
{
	const uint32_t incomplete = 1;
	return memory_write(l->view->pid, private_at(l->view->plan) + offsetof(struct guest_private, incomplete), &incomplete, sizeof incomplete);
}

static int give_back(struct leaving *l, const char **what)
{
	*what = "its signals can't be given back";
	int status = map_scratch(l);
	if (!status)
		status = announce(l);
	if (!status)
		status = give_back_signals(l);
	if (!status)
		status = give_back_held(l);
	*what = "its alternate signal stacks can't be given back";
	if (!status)
		status = take_stacks(l);
	if (status)
		return status;
	unmap_all(l);
	unmap(l, l->scratch, PAGE);
	return 0;
}

static struct thread *first_thread(struct threads *t)
{
	for (size_t i = 0; i < t->all.count; i++)
		if (!t->all.at[i].is_gone)
			return &t->all.at[i];
	return NULL;
}

int detach_leave(const struct detach_view *v, struct foothold *f, struct threads *t, const char **what)
{
	struct leaving *l = calloc(1, sizeof *l);
	struct thread *first = first_thread(t);
	if (!l)
		abort();
	*l = (struct leaving){.view = v, .foothold = f, .threads = t};
	*what = "its memory can't be read";
	int status = first ? read_data(l) : -ESRCH;
	if (!status)
		status = give_back_masks(l);
	*what = "its text can't be written";
	if (!status)
		status = foothold_enter(f, first);
	if (!status)
		status = give_back(l, what);
	if (f->thread)
		foothold_leave(f);
	free(l);
	int wiped = foothold_wipe(f);
	return status ? status : wiped;
}

int detach_guarded_blocks(pid_t pid, const struct boot_plan *plan, unsigned *count)
{
	struct guest_private private;
	struct guest_heap_slot slot;
	*count = 0;
	int status = memory_read_all(pid, private_at(plan), &private, sizeof private);
	for (unsigned i = 0; !status && private.heap.slots && i < HEAP_SLOTS; i++) {
		status = memory_read_all(pid, private.heap.slots + i * sizeof slot, &slot, sizeof slot);
		*count += !status && (slot.state == HEAP_SLOT_GUARDED || slot.state == HEAP_SLOT_TAKEN);
	}
	return status;
}
