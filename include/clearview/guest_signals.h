/* The program's view of signals, where it differs from the kernel's: data of the blob that the supervisor fills when it attaches to a running process, and reads
 * when it gives the process back.
 *
 *   believed  which FAULT_SIGNALS a thread has blocked, as far as it knows
 *   held      those that were sent to it meanwhile: pending, from its point of view
 *   released  on their way: sent once more, to be delivered by the system call that unblocks them
 *
 * Lives behind struct guest_private, in memory that follows a fork by copy; the process page doesn't: it is zero in a fresh child. */
#ifndef CLEARVIEW_GUEST_SIGNALS_H
#define CLEARVIEW_GUEST_SIGNALS_H

#include <clearview/guest.h>

/* In a word of a signal frame that the kernel doesn't use (the fourth of its reserved ones): the program is about to return from the handler, and the frame is as
 * the kernel will read it. */
#define FRAME_RETURNS 0x636c656172766967ull

enum { SIG_ILL = 4, SIG_TRAP = 5, SIG_ABRT = 6, SIG_BUS = 7, SIG_FPE = 8, SIG_SEGV = 11 };
#define SIGNAL_BIT(s) (1ull << ((s) - 1))
#define FAULT_SIGNALS (SIGNAL_BIT(SIG_ILL) | SIGNAL_BIT(SIG_TRAP) | SIGNAL_BIT(SIG_BUS) | SIGNAL_BIT(SIG_FPE) | SIGNAL_BIT(SIG_SEGV))
#define OWNED_SIGNALS (FAULT_SIGNALS | SIGNAL_BIT(SIG_ABRT))
enum { SA_SIGINFO_ = 4, SA_ONSTACK_ = 0x08000000, SA_RESTART_ = 0x10000000, SA_RESTORER_ = 0x04000000, SA_NODEFER_ = 0x40000000, SA_RESETHAND_ = (int)0x80000000 };
#define OWN_FLAGS ((uint32_t)SA_SIGINFO_ | SA_ONSTACK_ | SA_RESTORER_ | SA_NODEFER_)

struct guest_siginfo { /* the kernel's siginfo_t */
	int32_t signo, error, code, unused;
	uint64_t address;
	uint8_t rest[104];
};

enum { SIGNAL_THREADS = 4096, HELD_MAX = 24, SHOWN_MAX = 256, NATIVE_MAX = 64, ALTSTACKS = 224, ALTSTACK_SIZE = 32768, STRICT_MAX = 8,
       STACKS_KNOWN = 256, STACK_CHUNKS = 128, STACK_CHUNK_BITS = 16 };

struct thread_signals {
	uint32_t tid;        /* 0: unused */
	uint32_t waiting;    /* in a system call with a mask of its own: enum waiting */
	uint64_t believed;
	uint64_t wait_mask;
	uint64_t offered;    /* copies of these held signals are pending, for a descriptor (descriptors.c) */
	uint64_t fork_sp;    /* about to fork with this stack pointer: the child inherits */
};
enum waiting { WAITING_NOT, WAITING, WAITING_RELEASED /* with FAULT_SIGNALS really blocked, until the kernel lets them in */ };

struct guest_signals {
	uint64_t threads_used;                        /* entries of guest_threads */
	uint64_t handler[65];                         /* the program's own, of the signals that ClearView doesn't own */
	struct { uint64_t code, original; } shown[SHOWN_MAX]; /* translated addresses, by code address */
	uint64_t target[16];                          /* of trampolines, found to be text */
	struct { uint64_t address, generation; } native[NATIVE_MAX]; /* traps of the program's own in redirected modules, by address */
	uint64_t on_stack;                            /* the program's handlers with SA_ONSTACK, of signals that ClearView doesn't own */
	uint64_t descriptors;                         /* the FAULT_SIGNALS that signalfds take */
	uint64_t plain_handlers;                      /* the program's without SA_ONSTACK, likewise */
	uint64_t stack_end;                           /* of the first thread's stack; 0: unknown */
	struct { uint64_t start, end; } stacks[STACKS_KNOWN]; /* those that threads were made with */
	uint64_t stacks_used;                         /* how many were noted: beyond STACKS_KNOWN from the first on again */
	uint32_t stack_chunks[STACK_CHUNKS];          /* addresses in them, >> STACK_CHUNK_BITS: a cache */
	uint64_t own_stacks;                          /* the program has set up an alternate stack, in some thread */
	uint32_t stack_owner[ALTSTACKS];              /* thread ids */
	uint32_t filtered;                            /* the program has installed a system call filter */
	uint32_t strict_count;                        /* of strict[] */
	struct guest_strict { uint64_t base; uint32_t tid, pid; } strict[STRICT_MAX]; /* threads in seccomp's strict mode, by thread pointer. pid 0: unused */
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
	struct guest_siginfo info;
};
enum held_state { HELD_UNUSED, HELD_TAKING, HELD, HELD_RELEASED };

struct guest_process {
	uint32_t pid;        /* 0: fresh from a fork */
	uint32_t unused;
	struct held_signal held[HELD_MAX];
};

#define STACKS_OFFSET (0x01840000ul - GUEST_PRIVATE_OFFSET)
#define THREADS_OFFSET (STACKS_OFFSET + (uint64_t)ALTSTACKS * ALTSTACK_SIZE)
#define SIGNALS_OFFSET 0x8000ul /* from guest_private */
#define PROCESS_OFFSET 0xf000ul

_Static_assert(sizeof(struct guest_private) <= SIGNALS_OFFSET, "private data fit");
_Static_assert(SIGNALS_OFFSET + sizeof(struct guest_signals) <= PROCESS_OFFSET, "signal data fit");
_Static_assert(sizeof(struct guest_process) <= 4096, "process page fits");

_Static_assert(GUEST_SHARED_OFFSET + GUEST_SHARED_SIZE <= GUEST_PRIVATE_OFFSET + STACKS_OFFSET, "stacks lie behind the shared data");
_Static_assert(GUEST_PRIVATE_OFFSET + THREADS_OFFSET + SIGNAL_THREADS * sizeof(struct thread_signals) <= GUEST_TABLES_OFFSET, "and before the tables");

#endif
