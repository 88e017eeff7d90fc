/* The program's view of signals, where it differs from the kernel's. Faults and landings raise the FAULT_SIGNALS, so these are never really blocked; what the
 * program believes about them is kept here. All five, not only those of landings: servers block everything in their worker threads, and a blocked fault
 * would kill without a word to the crash monitor.
 *
 *   believed  which FAULT_SIGNALS a thread has blocked, as far as it knows
 *   held      those that were sent to it meanwhile: pending, from its point of view
 *   released  on their way: sent once more, to be delivered by the system call that unblocks them
 *
 * Lives behind struct guest_private, in memory that follows a fork by copy; the process page doesn't: it is zero in a fresh child. */
#ifndef GUEST_SIGNALS_H
#define GUEST_SIGNALS_H

#include "guest/guest_internal.h"

enum { SIGNAL_THREADS = 4096, HELD_MAX = 24, SHOWN_MAX = 256, ALTSTACKS = 224, ALTSTACK_SIZE = 32768 };

struct thread_signals {
	uint32_t tid;        /* 0: unused */
	uint32_t waiting;    /* in a system call with a mask of its own: enum waiting */
	uint64_t believed;
	uint64_t wait_mask;
	uint64_t fork_sp;    /* about to fork with this stack pointer: the child inherits */
};
enum waiting { WAITING_NOT, WAITING, WAITING_RELEASED /* with FAULT_SIGNALS really blocked, until the kernel lets them in */ };

struct guest_signals {
	uint64_t threads_used;                        /* entries of guest_threads */
	uint64_t handler[65];                         /* the program's own, of the signals that ClearView doesn't own */
	struct { uint64_t code, original; } shown[SHOWN_MAX]; /* translated addresses, by code address */
	uint64_t target[16];                          /* of trampolines, found to be text */
	uint64_t on_stack;                            /* the program's handlers with SA_ONSTACK, of signals that ClearView doesn't own */
	uint64_t own_stacks;                          /* the program has set up an alternate stack, in some thread */
	uint32_t stack_owner[ALTSTACKS];              /* thread ids */
};

struct signal_stack { /* the kernel's stack_t */
	uint64_t sp;
	int32_t flags;
	uint32_t unused;
	uint64_t size;
};
enum { SS_ONSTACK_ = 1, SS_DISABLE_ = 2 };

struct held_signal {
	uint32_t state;      /* enum held_state */
	uint32_t tid;        /* whom it was sent to; 0: the process */
	struct siginfo info;
};
enum held_state { HELD_UNUSED, HELD_TAKING, HELD, HELD_RELEASED };

struct guest_process {
	uint32_t pid;        /* 0: fresh from a fork */
	uint32_t unused;
	struct held_signal held[HELD_MAX];
};

/* Placed by blob.lds. */
extern struct guest_signals guest_signals __attribute__((visibility("hidden")));
extern struct guest_process guest_process __attribute__((visibility("hidden")));
extern struct thread_signals guest_threads[] __attribute__((visibility("hidden"))); /* by tid; without an entry: no FAULT_SIGNAL is blocked */
extern uint8_t guest_stacks[] __attribute__((visibility("hidden")));
#define STACKS_OFFSET (0x01840000ul - GUEST_PRIVATE_OFFSET)
#define THREADS_OFFSET (STACKS_OFFSET + (uint64_t)ALTSTACKS * ALTSTACK_SIZE)
#define SIGNALS_OFFSET 0x8000ul /* from guest_private */
#define PROCESS_OFFSET 0xf000ul

_Static_assert(sizeof(struct guest_private) <= SIGNALS_OFFSET, "private data fit");
_Static_assert(SIGNALS_OFFSET + sizeof(struct guest_signals) <= PROCESS_OFFSET, "signal data fit");
_Static_assert(sizeof(struct guest_process) <= 4096, "process page fits");

_Static_assert(GUEST_SHARED_OFFSET + GUEST_SHARED_SIZE <= GUEST_PRIVATE_OFFSET + STACKS_OFFSET, "stacks lie behind the shared data");
_Static_assert(GUEST_PRIVATE_OFFSET + THREADS_OFFSET + SIGNAL_THREADS * sizeof(struct thread_signals) <= GUEST_TABLES_OFFSET, "and before the tables");

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
void held_add(uint32_t tid, const struct siginfo *info);
bool held_any(void);
uint64_t held_signals(uint32_t tid);
/* Takes the lowest of the set; its number, or 0. */
int held_take(uint32_t tid, uint64_t set, struct siginfo *info);
/* Really blocks the held signals of the set and sends them again: the next system call that unblocks them delivers them. Returns what was sent. */
uint64_t held_release(uint32_t tid, uint64_t set);
/* A signal that arrives again: puts what was sent at first in place of *info. */
void held_arrived(uint32_t tid, struct siginfo *info);
void held_forget(int signal);

/* handler.c: makes a context show the program's own addresses. */
void show_program_addresses(struct context *c);
/* Makes one show the program's own mask and alternate stack. */
void show_program_setting(struct context *c, uint64_t believed);
/* rt_sigreturn through this restorer passes program_sigreturn. */
bool returns_to_us(uint64_t restorer);
extern const uint8_t entry_handler[];

#endif
