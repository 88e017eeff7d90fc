/* The program's view of signals, where it differs from the kernel's. Faults and landings raise the FAULT_SIGNALS, so these are never really blocked; what the
 * program believes about them is kept here. All five, not only those of landings: servers block everything in their worker threads, and a blocked fault
 * would kill without a word to the crash monitor. The data are in clearview/guest_signals.h. */
#ifndef GUEST_SIGNALS_H
#define GUEST_SIGNALS_H

#include "guest/guest_internal.h"

/* Placed by blob.lds. */
extern struct guest_signals guest_signals __attribute__((visibility("hidden")));
extern struct guest_process guest_process __attribute__((visibility("hidden")));
extern struct thread_signals guest_threads[] __attribute__((visibility("hidden"))); /* by tid; without an entry: no FAULT_SIGNAL is blocked */
extern uint8_t guest_stacks[] __attribute__((visibility("hidden")));

enum { MASK_BLOCK = 0, MASK_UNBLOCK = 1, MASK_SET = 2 };

static inline uint32_t own_tid(void)
{
	return SYS0(__NR_gettid);
}

static inline long real_mask(int how, uint64_t set, uint64_t *old)
{
	return SYS4(__NR_rt_sigprocmask, how, &set, old, 8);
}

/* threads.c. NULL: no entry (and none wanted, or the table is full: then the thread's view is that nothing is blocked). */
struct thread_signals *thread_signals(uint32_t tid, bool make);
void thread_set_believed(uint32_t tid, uint64_t believed);
/* Nothing is blocked in any thread, or held: nobody need know who we are. */
bool all_is_deliverable(void);
/* This memory is shared with the process that vforked us: its records of handlers are not ours to change. */
bool in_vforked_child(void);
void threads_forking(uint64_t sp);
void threads_forked(uint64_t sp, bool own_memory);

bool thread_has_ended(uint32_t tid);

/* altstack.c */
bool is_our_altstack(uint64_t sp);
void altstack_forked(uint32_t tid);

/* held.c */
void held_add(uint32_t tid, const struct guest_siginfo *info);
bool held_any(void);
uint64_t held_signals(uint32_t tid);
/* Takes the lowest of the set; its number, or 0. */
int held_take(uint32_t tid, uint64_t set, struct guest_siginfo *info);
/* Really blocks the held signals of the set and sends them again: the next system call that unblocks them delivers them. Returns what was sent. */
uint64_t held_release(uint32_t tid, uint64_t set);
/* A signal that arrives again: puts what was sent at first in place of *info. */
void held_arrived(uint32_t tid, struct guest_siginfo *info);
void held_forget(int signal);

/* descriptors.c: a thread is about to wait with these signals blocked, as it believes; its wait is over; a signal was held while tid had it blocked. */
void descriptors_wait(struct thread_signals *t, uint64_t mask);
void descriptors_waited(struct thread_signals *t);
void descriptors_forward(uint32_t tid, const struct guest_siginfo *info);

/* Words of a context that the kernel leaves alone: what is real where the program is shown something else. */
enum { SHOWN_ADDRESS, REAL_ADDRESS, ORIGINAL, SHOWN_STACK, REAL_STACK, KEPT_ADDRESS, KEPT_STACK, FRAME_MARK };

/* around.c. Where the blob was interrupted, makes a context show what is around it; true if it does. go_on_in_blob undoes it. */
bool in_blob(uint64_t address);
bool show_around_blob(struct context *c);
void go_on_in_blob(struct context *c);
/* The probe that the blob is in the middle of; NULL: none. */
const struct probe_frame *interrupted_probe(const struct context *c);
/* Before entry_probe has done anything: back to the probe's call. */
void leave_probe_entry(struct context *c);

/* firewall.c: the context was made by the kernel, or by deliver.c, and its addresses are shown. */
void firewall_frame_made(struct context *c);
/* It will return in a way that nobody sees. */
void firewall_returns_unseen(const struct context *c);
/* The program returns from its handler by the context: what the firewall must know of where that goes. shown: the address the handler found there, 0: it is a
 * real one. */
void firewall_frame_returns(struct context *c, uint64_t shown);

/* handler.c: makes a context show the program's own addresses. */
void show_program_addresses(struct context *c);

/* interrupted.c: does the code of a probe stand here? */
bool is_probe_code(const uint8_t *start);
/* Undoes what a probe that can be repeated has done so far; the thread is where it began. False: it isn't in one. */
bool restart_probe(struct context *c);
/* Takes from the stack what a call that is made in a copy has put there so far; it begins again at its original address. False: it isn't in one. */
bool undo_call(struct context *c);
/* After a fault: goes on behind a probe that had no stack. */
bool skip_probe(struct context *c);
/* Makes one show the program's own mask and alternate stack. */
void show_program_setting(struct context *c, uint64_t believed);
/* rt_sigreturn through this restorer passes program_sigreturn. */
bool returns_to_us(uint64_t restorer);
extern const uint8_t entry_handler[];

/* stacks.c: of a thread, with room below. */
bool stack_is_noted(uint64_t sp);

/* A probe may use some hundred bytes more below there. Inlined: not to use them itself. */
static inline bool stack_has_room(uint64_t sp)
{
	enum { FIRST_STACK_MAX = 128 << 20 /* the kernel maps nothing else there */ };
	uint32_t chunk = sp >> STACK_CHUNK_BITS;
	if (guest_signals.stack_end - sp < FIRST_STACK_MAX || guest_signals.stack_chunks[chunk % STACK_CHUNKS] == chunk)
		return true;
	return guest_signals.plain_handlers || (guest_signals.on_stack && !guest_signals.own_stacks) || stack_is_noted(sp);
}

#endif
