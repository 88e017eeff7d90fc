/* The contract between the supervisor and the blob in the guest. Compiled by both sides; any change of layout changes GUEST_ABI_VERSION.
 *
 * A family = processes that share one address-space history (a program and what it forked, until they exec). It has one code memfd and
 * one shared memfd. In the guest, zone 0 looks like this (offsets from its base; the blob finds its data rip-relative):
 *
 *   0x00000000  blob text             r-x  code memfd
 *   0x00010000  struct guest_private  rw-  private anonymous: follows fork by copy
 *   0x00020000  struct guest_bell     rw-  bell memfd, one for all guests of a supervisor
 *   0x00030000  struct guest_shared   rw-  shared memfd: mailbox, counters, observation ring
 *   0x02000000  struct guest_tables   r--  code memfd: probes, fault actions, landing maps
 *   0x0a000000  code                  r-x  code memfd: woven copies
 *
 * Other zones (code near a module that zone 0 can't reach) hold code only. The supervisor has everything but guest_private mapped rw-.
 */
#ifndef CLEARVIEW_GUEST_H
#define CLEARVIEW_GUEST_H

#include <clearview/operand.h>

enum { GUEST_ABI_VERSION = 1 };

#define GUEST_PRIVATE_OFFSET 0x00010000ul
#define GUEST_BELL_OFFSET    0x00020000ul
#define GUEST_SHARED_OFFSET  0x00030000ul
#define GUEST_SHARED_SIZE    0x01000000ul
#define GUEST_TABLES_OFFSET  0x02000000ul
#define GUEST_TABLES_SIZE    0x08000000ul
#define GUEST_CODE_OFFSET    0x0a000000ul

/* --- Mailbox: synchronous events. The guest claims a FREE slot, fills it, posts it, rings the bell and waits on `state`. */
enum guest_slot_state { SLOT_FREE, SLOT_CLAIMED, SLOT_POSTED, SLOT_TAKEN, SLOT_REPLIED };

enum guest_event_kind {
	EVENT_NONE,
	EVENT_FAULT,       /* args: signal, siginfo_t *, ucontext_t *. reply: enum guest_verdict */
	EVENT_LANDING,     /* args: address, ucontext_t *. reply 0: address to go on at, 0 = not ours */
	EVENT_MODULES,     /* the dynamic linker's debugger hook */
	EVENT_EXEC,        /* args: path *, argv *, envp *. The supervisor attaches before it replies, if it follows */
	EVENT_EXEC_FAILED, /* args: -errno */
	EVENT_FORKED,      /* posted by the child. args: the parent's pid, guest_private.generation */
	EVENT_HEAP,        /* args: enum heap_fault, block, address, ucontext-less register frame *. reply: enum guest_verdict */
	EVENT_THREAD,      /* reserved */
};

enum guest_verdict {
	VERDICT_DIE,       /* let the signal's default action happen */
	VERDICT_RESUME,    /* the ucontext was edited (or needs none): return from the handler */
	VERDICT_PROGRAM,   /* deliver it to the program's own handler */
};

struct guest_slot {
	uint32_t state;    /* enum guest_slot_state; futex */
	uint32_t kind;     /* enum guest_event_kind */
	uint32_t pid, tid; /* as the guest sees them (its pid namespace) */
	uint64_t arg[6];
	uint64_t reply[2];
};

struct guest_bell {
	uint32_t rings; /* futex */
	uint32_t sleeping; /* the supervisor waits in the kernel: wake it */
};

/* --- Probes: what a woven call into the blob does. One table entry a probe; the entry is complete before `enabled` is set. */
enum probe_work {
	PROBE_OBSERVE, /* append the operands' values to the observation ring */
	PROBE_CHECK,   /* evaluate the guard; tally; remember the outcome as this thread's last */
	PROBE_REPAIR,  /* evaluate the guard; if true, act */
};

enum probe_guard {
	PROBE_GUARD_TRUE,
	PROBE_GUARD_NOT_ONE_OF,    /* a not in value[] */
	PROBE_GUARD_BELOW,         /* a < bound */
	PROBE_GUARD_NOT_LESS,      /* !(a <= b) */
	PROBE_GUARD_SP,            /* a (the stack pointer) != cfa - bound */
};

enum probe_action {
	PROBE_ACT_NONE,
	PROBE_ACT_SET,     /* operand a := value */
	PROBE_ACT_SET_B,   /* operand a := operand b */
	PROBE_ACT_RESUME,  /* go on at `resume` instead of behind the probe; rax := value if has_value */
};

enum { PROBE_OPERANDS = 12, PROBE_COUNT_MAX = 1 << 16 };

struct guest_probe {
	uint8_t enabled, work, guard, action;
	uint8_t operand_count;  /* observe: operands of one instruction, in the order of the record's values. check, repair: a, b */
	uint8_t has_value;
	uint8_t cfa_register;   /* canonical frame address = register + cfa_offset; REG_NONE: unknown (record 0) */
	uint8_t value_count;
	int32_t cfa_offset;
	uint32_t limit;         /* observe: at most that many records, then the probe rests; 0: no limit */
	uint32_t earlier;       /* less-than across instructions: the probe whose last value of this activation is operand b; 0: none */
	uint32_t unused;
	struct operand operand[PROBE_OPERANDS];
	int64_t bound;
	int64_t value[8];       /* one-of; ACT_SET and has_value: value[0] is the guard's, set_value what to set */
	int64_t set_value;
	uint64_t resume;        /* code address */
};

/* Written by guests, per probe: what the probe saw and did. Read by the supervisor as hints from an untrusted party. */
enum { PROBE_THREADS = 32 };
struct guest_tally {
	uint64_t runs;        /* observe: records asked for */
	uint64_t satisfied, violated;
	uint64_t activations;
	uint64_t last_cfa;    /* of the last activation */
	uint32_t last_tid;
	uint32_t unused;
	uint8_t last[PROBE_THREADS]; /* by tid modulo PROBE_THREADS: 0 none, 1 satisfied, 2 violated at the last check */
};

/* --- Observation ring: records of fixed size, written by many threads, read by the supervisor. */
struct guest_record {
	uint32_t sequence; /* slot number / ring size + 1, written last: the record is complete */
	uint32_t probe;
	uint64_t cfa;      /* names the procedure activation; 0: unknown */
	uint64_t sp;       /* before the instruction */
	uint32_t pid;
	uint32_t unreadable; /* bit i: operand i's memory could not be read */
	int64_t value[PROBE_OPERANDS];
};

/* --- Fault actions: patches with GUARD_FAULT. Sorted by address; the blob's fault handler looks the program counter up and, if it is
 * there, goes on at `resume`. Native code and copies have an entry each. */
enum { FAULT_ACTIONS_MAX = 4096 };
struct guest_fault_action {
	uint64_t address;
	uint64_t resume;
	uint32_t probe;   /* whose tally counts the activation */
	uint32_t unused;
};

#endif
