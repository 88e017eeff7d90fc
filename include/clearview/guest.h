/* The contract between the supervisor and the blob in the guest. Compiled by both sides; any change of layout changes GUEST_ABI_VERSION.
 *
 * A family = processes that share one address-space history (a program and what it forked, until they exec). It has one code memfd and
 * one shared memfd. In the guest, zone 0 looks like this (offsets from its base; the blob finds its data rip-relative):
 *
 *   0x00000000  blob text             r-x  code memfd
 *   0x00010000  struct guest_private  rw-  private anonymous: follows fork by copy
 *   0x00020000  struct guest_bell     rw-  bell memfd, one for all guests of a supervisor; a page for each family
 *   0x00030000  struct guest_shared   rw-  shared memfd: mailbox, counters, observation ring
 *   0x02000000  struct guest_tables   r-x  code memfd (one mapping with the code): probes, fault actions, landing maps
 *   0x12000000  code                  r-x  code memfd: woven copies
 *
 * Other zones (code near a module that zone 0 can't reach) hold code only. The supervisor has everything but guest_private mapped rw-.
 */
#ifndef CLEARVIEW_GUEST_H
#define CLEARVIEW_GUEST_H

#include <clearview/operand.h>
#include <stdbool.h>

enum { GUEST_ABI_VERSION = 23 };

/* Places in the blob that woven code, the kernel or the supervisor enter it at. */
enum guest_entry {
	ENTRY_SIGNAL,   /* the handler of the signals ClearView owns */
	ENTRY_RESTORER, /* its sa_restorer */
	ENTRY_PROBE,    /* woven probes: `push $probe; call` */
	ENTRY_MODULES,  /* stands in for the dynamic linker's debugger hook */
	ENTRY_BOOT,     /* copied into a fresh process and run there once */
	ENTRY_BOOT_END,
	ENTRY_MALLOC, ENTRY_FREE, ENTRY_CALLOC, ENTRY_REALLOC, ENTRY_MEMALIGN, ENTRY_ALIGNED_ALLOC, ENTRY_POSIX_MEMALIGN, ENTRY_VALLOC,
	ENTRY_PVALLOC, ENTRY_USABLE_SIZE, /* stand in for the allocator's procedures; see the heap section */
	ENTRY_HANDLER,  /* stands before the program's handlers of other signals */
	ENTRY_COUNT = 20,
};

/* At the blob's first byte. */
struct guest_header {
	uint32_t abi_version, size;     /* bytes of blob text */
	uint32_t entry[ENTRY_COUNT];    /* offsets */
};

/* What ENTRY_BOOT maps and sets up; written behind its copied code. */
struct boot_arguments {
	uint64_t zone, code_size;       /* zone 0 and the code memfd's bytes mapped there from file offset 0 */
	uint64_t other_zone, other_size, other_offset; /* a second zone of code at that file offset; size 0: none */
	uint64_t no_exec_start, no_exec_size; /* stack whose execute permission is taken away; size 0: none */
	uint64_t shadow;                /* the gs base; 0: none */
	uint64_t own_signals;           /* bit s-1: install ENTRY_SIGNAL for signal s */
	uint64_t stack_end;             /* of the first thread's stack */
	uint64_t blocked;               /* the signals that the program blocks, bit s-1 */
	uint64_t bell_offset;           /* the family's page in the bell memfd */
	uint64_t expedites;             /* register for expedited barriers */
	char code_path[48], shared_path[48], bell_path[48]; /* /proc/PID/fd/N of the supervisor */
};
/* A trap of ENTRY_BOOT's in between, rdi: the process may not open these. rax: one end of a pair of sockets, to send descriptors to: code (read-only), bell, shared. */
enum { BOOT_ASKS_FOR_FILES = 1000 };

#define GUEST_PRIVATE_OFFSET 0x00010000ul
#define GUEST_BELL_OFFSET    0x00020000ul
#define GUEST_SHARED_OFFSET  0x00030000ul
#define GUEST_SHARED_SIZE    0x01800000ul
#define GUEST_TABLES_OFFSET  0x02000000ul
#define GUEST_TABLES_SIZE    0x10000000ul
#define GUEST_CODE_OFFSET    0x12000000ul

/* --- Mailbox: synchronous events. The guest claims a FREE slot, fills it, posts it, rings the bell and waits on `state`. */
enum guest_slot_state { SLOT_FREE, SLOT_CLAIMED, SLOT_POSTED, SLOT_TAKEN, SLOT_REPLIED };

enum guest_event_kind {
	EVENT_NONE,
	EVENT_FAULT,       /* args: signal, siginfo_t *, ucontext_t *. reply: enum guest_verdict. Where guarded heap memory was accessed, the guest
			    * makes it accessible, as it would be natively, and goes on, unless the verdict is VERDICT_RESUME */
	EVENT_LANDING,     /* args: address, ucontext_t *. reply 0: address to go on at, 0 = not ours */
	EVENT_MODULES,     /* the dynamic linker's debugger hook */
	EVENT_EXEC,        /* args: path *, argv *, envp *. The supervisor attaches before it replies, if it follows */
	EVENT_EXEC_FAILED, /* args: -errno */
	EVENT_FORKED,      /* posted by the child. args: the parent's pid, guest_private.generation */
	EVENT_HEAP,        /* args: struct guest_heap_finding *. reply: VERDICT_RESUME = go on with the finding's registers (at first: as if
			    * the allocator had returned), else the allocator's own procedure goes on */
	EVENT_ORIGINAL,    /* args: address in a copy. reply 0: the original address */
	EVENT_TEXT,        /* args: address. reply 0: 1 if it is in a module's text */
	EVENT_TEXT_WRITE,  /* args: start, end: the program is about to make that writable */
	EVENT_WRITE,       /* args: siginfo_t *, ucontext_t *, the first byte that must not be written, what the check map says of it. reply: enum
			    * guest_verdict; VERDICT_PROGRAM: it is right */
	EVENT_RETURN,      /* args: siginfo_t *, ucontext_t *, the return address that was noted. reply: enum guest_verdict; VERDICT_PROGRAM: it is
			    * right as it is */
	EVENT_SEAL,        /* args: n. reply 0: the n-th range of text to make non-executable until it is wanted, as GUEST_PAGES; 0: no more */
	EVENT_FETCH,       /* args: an address in such text that a thread wants to execute; 0: all of it. reply 0: the range that may be executed now, as
			    * GUEST_PAGES; 0: it never was such. args 1, with 0: n, for the n-th range */
	EVENT_STEP,        /* args: address in a copy, where a program that steps itself is. reply 0: 1 if an instruction of the program's begins there */
	EVENT_TRANSFER,    /* firewall. args: address, ucontext_t *, signal, 0: control has come to an address of text that isn't approved. reply: enum
			    * guest_transfer, or where to go on. 1: what to do about it, when no patch acts. reply: enum guest_verdict */
	EVENT_APPROVE,     /* firewall. args: address of text that control will come to by the program's own doing: a signal frame of the kernel's says so */
	EVENT_EXECUTABLE,  /* firewall. args: start, size, protection, enum guest_executing: the program is about to make memory executable. reply: enum
			    * guest_executable */
	EVENT_SIGNALFD,    /* from now on signals that are held must reach descriptors: the calls that wait for these are to be woven */
	EVENT_TRACED,      /* args: a thread that is going to be traced; 0: this one */
};

/* A range of whole pages in one word; user space has 47 bits. */
#define GUEST_PAGES(start, end)   ((uint64_t)(start) >> 12 | ((uint64_t)(end) - (uint64_t)(start)) >> 12 << 36)
#define GUEST_PAGES_START(pages)  (((pages) & 0xfffffffffull) << 12)
#define GUEST_PAGES_SIZE(pages)   ((pages) >> 36 << 12)

enum guest_verdict {
	VERDICT_DIE,       /* let the signal's default action happen */
	VERDICT_RESUME,    /* the ucontext was edited (or needs none): return from the handler */
	VERDICT_PROGRAM,   /* deliver it to the program's own handler */
};

enum guest_executable { EXECUTABLE_ALLOWED, EXECUTABLE_REFUSED, EXECUTABLE_WITHOUT /* the call succeeds, without that permission */ };

/* How: memory that is there, new memory, or, from 0 on, this file descriptor's. */
enum guest_executing { EXECUTING_PRESENT = -2, EXECUTING_NEW = -1 };

enum guest_transfer {
	TRANSFER_NOT_OURS, /* the program's own trap */
	TRANSFER_WRONG,    /* no legitimate target */
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
	PROBE_SYSCALL, /* before a system call instruction: signal actions and masks, exec. `resume`: behind it */
	PROBE_CLONED,  /* behind one that makes a process or thread */
	PROBE_EXECED,  /* behind an execve that came back */
	PROBE_COUNT,   /* behind a system call: count it if it returned more than 0 */
	PROBE_WAITED,  /* behind one that waits with a signal mask of its own */
	PROBE_SAVE,    /* at a procedure's entry: remember what PROBE_ACT_RESTORE needs */
	PROBE_CAPTURE, /* remember operand a and the activation in the tally, for a later probe with `earlier` */
	PROBE_VISIT,   /* count how often control comes by */
	PROBE_MAPPED,  /* behind an mmap: what the check map says of former blocks there is out of date */
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
	PROBE_ACT_RESTORE, /* put back what PROBE_SAVE remembered of this activation, r11 := where the return address stands, and go on at `resume`;
			    * without such a memory nothing. bound 1: only if the return address has changed */
	PROBE_ACT_RESUME,  /* go on at `resume` instead of behind the probe; rax := value if has_value */
};

enum { PROBE_THIN = 256 };
enum { PROBE_OPERANDS = 10, PROBE_COUNT_MAX = 1 << 17 };

/* What woven code says of the probe: its number, and whose turn it was when the code was made. Numbers are used again, and a thread may come back into an old copy
 * with numbers that mean something else by now. */
enum { PROBE_TURNS = 1 << 14 };
#define PROBE_ID(number, turn)  ((uint32_t)(number) | (uint32_t)(turn) * PROBE_COUNT_MAX)
#define PROBE_ID_TURN(id)       ((uint32_t)(id) / PROBE_COUNT_MAX % PROBE_TURNS)

struct guest_probe {
	uint8_t enabled, work, guard, action;
	uint8_t operand_count;  /* observe: operands of one instruction, in the order of the record's values. check, repair: a, b */
	uint8_t has_value;
	uint8_t cfa_register;   /* canonical frame address = register + cfa_offset; REG_NONE: unknown (record 0) */
	uint8_t value_count;
	int32_t cfa_offset;
	uint32_t limit;         /* observe: so many records, then the probe rests, or goes on with one in THIN; 0: no limit */
	uint8_t thins;          /* observe: beyond the limit, every THIN-th activation: that which the probe `earlier`, at the entry, chose */
	uint8_t leaves;         /* observe: disabled, and control that comes to the procedure doesn't come here any more: go on in the text, at `resume` */
	uint16_t turn;          /* of this number: see PROBE_ID */
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
	uint64_t last_cfa;    /* of the last activation, or captured value's */
	uint64_t last_value;  /* captured */
	uint32_t last_tid;
	uint32_t unused;
	uint8_t last[PROBE_THREADS]; /* by tid modulo PROBE_THREADS: 0 none, 1 satisfied, 2 violated at the last check */
};

/* --- Observation ring: records of fixed size, written by many threads, read by the supervisor. */
struct guest_record {
	uint32_t sequence; /* slot number / ring size + 1, written last: the record is complete */
	uint32_t probe;    /* PROBE_ID */
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
	uint32_t kind;    /* enum fault_action_kind */
};
enum fault_action_kind {
	FAULT_ANY,        /* whenever the instruction at `address` faults */
	FAULT_TRANSFER,   /* when the call in front of `address` has gone to what can't be executed */
	FAULT_HEAP,       /* when it faults on guarded heap memory */
	FAULT_HEAP_CALL,  /* `address` is behind a call of the allocator: when that finds a double or invalid free */
};

/* --- Heap. The allocator's procedures are detoured to the blob, which asks the originals for more and writes behind a block of `size` bytes at p, whose
 * usable size is u (rounded down to whole words):
 *
 *     p            p + size           p + u - 8     p + u
 *     | the program's | canary bytes ... | trailer  |
 *
 * The canary byte and the secret words are the family's (guest_tables). The trailer is the size, enciphered with p. No canary byte is written HEAP_CANARY_MAX or more bytes behind the word that the block ends in.
 *
 * The allocation map has an entry of two bytes for 32 bytes of address space (no block is smaller): in its lower HEAP_MARK_BITS the state, and which half of
 * the 32 bytes it is about; above them the number of the allocation site, which is thus out of reach of what may overrun the block. The map is private
 * memory of each process, made on demand: a directory of HEAP_REGIONS addresses of maps, each HEAP_MAP_UNITS entries and as many usable sizes, which the blob
 * keeps for itself; behind the directory the HEAP_SITE_NUMBERS addresses that the sites' numbers stand for (0, unknown, if there are more), each behind a call.
 * A block is HEAP_LIVE exactly while its canary and trailer are in place. */
enum { HEAP_TRAILER = 8, HEAP_REQUEST_MIN = 24, HEAP_CANARY_MAX = 64, HEAP_REGION_BITS = 26, HEAP_REGIONS = 1 << 21, HEAP_UNIT_BITS = 5, HEAP_REGION_LIST = 4096 };
enum { HEAP_MARK_BITS = 4, HEAP_MARK_MASK = (1 << HEAP_MARK_BITS) - 1, HEAP_SITE_BITS = 16 - HEAP_MARK_BITS, HEAP_SITE_NUMBERS = 1 << HEAP_SITE_BITS };
#define HEAP_SIZE_MAX (1ull << 46)
#define HEAP_MAP_UNITS (1ul << (HEAP_REGION_BITS - HEAP_UNIT_BITS))
#define HEAP_MAP_SIZE (2 * 2 * HEAP_MAP_UNITS)
#define HEAP_DIRECTORY_SIZE ((HEAP_REGIONS + HEAP_SITE_NUMBERS) * 8ul)

/* The check map (strict): a byte for 16 of address space, at HEAP_CHECK_MAP + address / 16 of each process: woven code looks there before it writes. 0: may
 * be written; 1 to 15: so many of the bytes; else none. Made piece by piece where it is first looked at; nothing ever lies there otherwise, as the zones of
 * programs at fixed low addresses end below. */
enum { HEAP_CHECK_BITS = 4, HEAP_CHECK_PIECE = 1 << 22, HEAP_CHECK_MAP = 0x78000000 };
#define HEAP_CHECK_END (HEAP_CHECK_MAP + (1ull << (47 - HEAP_CHECK_BITS)))
enum heap_check { HEAP_CHECK_BEYOND = 0x80, HEAP_CHECK_FREED = 0x81 };

enum heap_state { HEAP_UNKNOWN, HEAP_LIVE, HEAP_FREED, HEAP_MOVING /* in realloc */, HEAP_GUARDED /* in a slot */, HEAP_STATE_MASK = 7 };

/* The lower bits of a block's entry; an address that isn't a multiple of 16 gives some that no entry has. */
static inline uint32_t heap_mark(uint64_t p, enum heap_state state)
{
	return state | (uint32_t)(p >> 1 & 8) | (uint32_t)(p & 15) << HEAP_MARK_BITS;
}

/* The block that an entry's unit, at such an address, is about. */
static inline uint64_t heap_block_of(uint64_t unit_address, uint16_t entry)
{
	return unit_address | (entry & 8) << 1;
}

/* secret: guest_tables.heap_secret. Any change of a trailer changes all bits of the size that is read from it, mostly to one that can't be. */
static inline uint64_t heap_trailer(uint64_t p, uint64_t size, const uint64_t secret[3])
{
	return (size + (p << 20) + secret[0]) * secret[1];
}

static inline uint64_t heap_trailer_size(uint64_t p, uint64_t trailer, const uint64_t secret[3])
{
	return trailer * secret[2] - (p << 20) - secret[0];
}

/* The canary bytes are those from p + size to here; end: where the trailer is. */
static inline uint64_t heap_canary_end(uint64_t p, uint64_t size, uint64_t end)
{
	uint64_t most = ((p + size) & ~7ull) + HEAP_CANARY_MAX;
	return end < most ? end : most;
}

/* How the allocator keeps usable sizes. */
enum heap_layout {
	HEAP_LAYOUT_ASK = 1, /* by malloc_usable_size */
	HEAP_LAYOUT_GLIBC,   /* in the word before the block: size of the chunk, two flags and, bit 1, "mapped by itself" */
};

static inline uint64_t heap_glibc_usable(uint64_t head)
{
	return (head & ~7ull) - (head & 2 ? 16 : 8);
}

/* Allocation sites of blocks that were found damaged: armed. From then on their blocks lie at the end of a page in front of an inaccessible one, and stay
 * inaccessible for a while when freed: the access that goes wrong is the one that faults. */
enum { HEAP_SITES_MAX = 64, HEAP_SLOTS = 2048, HEAP_QUARANTINE = 512, HEAP_GUARDED_MAX = HEAP_SLOTS - HEAP_QUARANTINE, HEAP_GUARDED_SIZE_MAX = 1 << 20 };
struct guest_heap_site {
	uint64_t address;    /* behind the allocating call */
	uint64_t size_class; /* heap_class() of the sizes */
};

/* Sizes that one defect overruns are of one order. */
static inline uint64_t heap_class(uint64_t size)
{
	return size < 16 ? 4 : 64 - (uint64_t)__builtin_clzll(size);
}

enum heap_slot_state { HEAP_SLOT_UNUSED, HEAP_SLOT_TAKEN, HEAP_SLOT_GUARDED, HEAP_SLOT_QUARANTINED };
struct guest_heap_slot {
	uint32_t state;      /* enum heap_slot_state */
	uint32_t freed;      /* quarantined: the how manieth */
	uint64_t start, end; /* the mapping; the last page has no access, quarantined none has */
	uint64_t block, size;
	uint64_t site, free_site; /* behind the calls */
};

enum heap_finding_kind {
	HEAP_DAMAGED = 2,    /* behind the end of a block */
	HEAP_FREED_TWICE,
	HEAP_FREED_INSIDE,   /* the address is inside a block */
};

/* On the guest's stack while EVENT_HEAP waits. The registers are those right after the call of free or realloc would have returned. */
struct guest_heap_finding {
	uint64_t r[16], rip;
	uint64_t kind;       /* enum heap_finding_kind */
	uint64_t block, size; /* as far as they can be told: size ~0 = unknown */
	uint64_t usable;     /* of the allocator's block, trailer included */
	uint64_t address;    /* damaged: the first byte that is; freed: what was passed to free */
	uint64_t site;       /* behind the call that allocated the block; 0: unknown */
};

/* --- Shadow: the return addresses that procedures were entered with. The shadow of the word at address A of a stack lies at A + GUEST_SHADOW: so each stack has
 * its own, and whatever changes stacks (longjmp, exceptions, contexts, threads) needs nothing. It is mapped piece by piece where it is first touched. Woven code
 * reaches it as %gs:GUEST_SHADOW_AT(%rsp), with the gs base GUEST_SHADOW - GUEST_SHADOW_AT in all threads. Stacks below -GUEST_SHADOW have none: a thread that is seen on
 * one gets the gs base GUEST_SHADOW_NONE, where what is noted is the return address itself, and is watched no longer.
 *
 * Processors guess which store a load on the stack belongs to from rsp and the displacement, its lower ten bits, segment or not: were the displacement that of a
 * word in use, each return would be guessed to go by what was noted in the shadow, and be done again: 8 ns a call. They also compare the lower 28 bits of addresses
 * first: the shadow of one part of a stack isn't to look like another part. */
#define GUEST_SHADOW (-0x200000000000ull + 0x1c00840)
enum { GUEST_SHADOW_AT = -0x78 };
#define GUEST_SHADOW_BASE (GUEST_SHADOW - GUEST_SHADOW_AT)
#define GUEST_SHADOW_NONE (0ul - GUEST_SHADOW_AT)
enum { GUEST_SHADOW_PIECE = 1 << 24 };

/* What woven code traps with when it has found something: ud1 distance(%rax), %reg. Registers are as before the instruction that is woven at. */
enum { STRICT_TRAP_SIZE = 7, STRICT_TRAP_0 = 0x0f, STRICT_TRAP_1 = 0xb9, STRICT_TRAP_2 = 0x80 };
enum strict_trap {
	STRICT_RETURN, /* reg 0: (%rsp) isn't what was noted */
	STRICT_WRITE,  /* reg 1: the check map forbids a byte of what is about to be written; followed by struct strict_write */
};

struct strict_write {
	uint8_t base, index, scale; /* registers; REG_NONE: none */
	uint8_t size;               /* bytes; of a string instruction: of an element */
	int32_t displacement;
	uint8_t is_string;
	uint8_t unused[3];
};

/* --- Landing maps: for every byte of a redirected module's text, where its copy is. */
enum { GUEST_MODULES_MAX = 256 };
/* A call that runs in place: control comes to its map entry by int3 only, while a commit writes it; any other fault there is the call's own. */
#define GUEST_MAP_CALL 0x80000000u
/* Control may come here from outside the copy: a springboard stands here, or the supervisor has found it right (firewall). */
#define GUEST_MAP_APPROVED 0x40000000u
#define GUEST_MAP_OFFSET (GUEST_MAP_APPROVED - 1)
/* Entries that the map doesn't have, in short (landing_code.h), in the order of the text: those of a range of it. */
struct guest_landings {
	uint32_t text, text_end; /* distances from the module's start */
	uint32_t at, end;        /* in the module's bytes of landings */
};
struct guest_module {
	uint64_t start, end;   /* text in the guest; start 0: unused entry */
	uint64_t code;         /* map entries are relative to this guest address */
	uint64_t map;          /* offset in the tables region of uint32_t[end - start]: code offset + 1 of the instruction's copy; 0: not copied */
	uint64_t identity;     /* of the file, for a later supervisor */
	uint64_t ranges;       /* offset in the tables region of struct guest_landings[range_count], ascending */
	uint64_t landings;     /* offset in the tables region of their bytes */
	uint64_t range_count;  /* written last, read first */
};

/* --- What a supervisor that takes over from a killed one has to know. Supervisors write and read it; guests ignore it. */
enum { GUEST_HOP_PAGES = 192 * 256 };
struct guest_legacy {
	uint64_t supervisor_start; /* /proc/PID/stat field 22 of guest_tables.supervisor */
	uint64_t state_device, state_inode; /* its state folder */
	uint64_t zone[2];          /* starts of the code zones; 0: none */
	uint64_t no_exec_start, no_exec_size; /* the stack whose execute permission was taken away; size 0: none */
	uint8_t above[2];          /* engine/zone.h */
	uint8_t redirect_all /* 2: with direct calls */, only_traps, no_heap, learn_full, debug, strict, jit;
	uint8_t expedited;         /* its processes are registered for expedited barriers */
	int32_t learn_percent, checks;
	uint8_t hop_pages[2][GUEST_HOP_PAGES / 8]; /* by zone: bit n: there are hops in the n-th page of its stretch of hops */
	uint64_t next_copy[2][2];  /* by zone: where its two stretches of copies are used up to */
	uint64_t next_map;         /* tables region: where the landing maps are used up to */
	uint32_t next_probe, generation;
	uint32_t adoptions;        /* in quick succession */
	uint16_t visits;           /* what is counted: enum visits (engine/image.h) */
	uint16_t provoke;          /* node/provoke.h */
	int64_t adopted_us;        /* when, last; CLOCK_REALTIME */
};

/* --- The tables region. */
#define GUEST_MAPS_OFFSET 0x03800000ul /* within the tables region; landing maps are allocated from here on */

enum { GUEST_ORIGINALS = 16 };
struct guest_tables {
	uint32_t abi_version;
	int32_t supervisor;       /* pid; 0: none */
	uint64_t code_start[4], code_end[4]; /* the zones' code in this family */
	uint32_t module_count;    /* entries of module[] to look at */
	uint32_t fault_current;   /* which of the two fault tables is valid */
	uint32_t fault_count[2];
	uint64_t shadow;          /* the gs base of threads whose returns are watched, GUEST_SHADOW_BASE; 0: none are */
	uint64_t heap_checks;     /* the check map is kept */
	uint64_t heap_enabled;
	uint64_t firewall;        /* landings that aren't approved are judged */
	uint64_t no_jit;          /* so is the program's making memory executable */
	uint64_t lazy;            /* text is redirected when it is first wanted: EVENT_FETCH */
	struct guest_legacy legacy;
	uint64_t original[GUEST_ORIGINALS]; /* addresses of the copies of the allocator's procedures, by enum guest_entry - ENTRY_MALLOC */
	uint64_t heap_secret[3];  /* two random words, the second odd, and its inverse */
	uint64_t link_state;      /* guest address of r_debug.r_state: what the dynamic linker calls its hook for; 0: unknown */
	uint64_t heap_canary;     /* the canary byte, eight times */
	uint64_t heap_free;       /* address of the allocator's own free */
	uint32_t heap_layout;     /* enum heap_layout */
	uint32_t heap_site_count;
	uint32_t heap_plain;      /* enabled, nothing armed, no check map, so that the fast paths serve: the layout; else 0 */
	uint32_t heap_unused;
	struct guest_heap_site heap_site[HEAP_SITES_MAX];
	struct guest_module module[GUEST_MODULES_MAX];
	struct guest_fault_action fault[2][FAULT_ACTIONS_MAX];
	struct guest_probe probe[PROBE_COUNT_MAX];
};

/* --- The shared region. */
enum { GUEST_SLOTS = 256, GUEST_RING = 32768, GUEST_LANDINGS_MANY = 256 };
struct guest_shared {
	struct guest_slot slot[GUEST_SLOTS];
	uint64_t landings;             /* traps resolved in the guest; each GUEST_LANDINGS_MANY the bell rings */
	uint64_t last_landing;
	uint64_t unnoted_returns;      /* of which the shadow knows nothing */
	uint64_t last_unnoted;         /* guest address of the return's copy */
	uint64_t records_dropped;
	uint32_t ring_wait;            /* set by the supervisor: writers wait for room instead of dropping */
	uint32_t exhausted;            /* observing probes that have come to their limit */
	uint32_t relieved;             /* futex: how often the supervisor has taken such probes out */
	uint32_t unused;
	uint64_t ring_head, ring_tail; /* records written, records read */
	struct guest_tally tally[PROBE_COUNT_MAX];
	struct guest_record ring[GUEST_RING];
};

/* --- Private data of one process; follows fork by copy. */
struct guest_action {
	uint64_t handler, flags, restorer, mask; /* the kernel's struct kernel_sigaction */
};
struct guest_heap {
	uint64_t directory;  /* address of HEAP_DIRECTORY_SIZE bytes, 0: none yet */
	uint64_t slots;      /* address of struct guest_heap_slot[HEAP_SLOTS], 0: none yet */
	uint32_t next_slot, quarantined;
	uint32_t region_count; /* may exceed HEAP_REGION_LIST: those beyond are not scanned */
	uint32_t closed;       /* no more guarded blocks: the process is about to be let go */
	uint32_t region[HEAP_REGION_LIST]; /* numbers of the regions that have a map */
	uint64_t free_gate;  /* a copy that calls of the allocator's own free were led to; 0: none seen yet */
};
enum { GUEST_HIDDEN_MASKS = 256, GUEST_SAVED_FRAMES = 32, GUEST_SAVED_BYTES = 16384 };
#define GUEST_SAVED_SIZE (GUEST_SAVED_FRAMES * (18 * 8ul + GUEST_SAVED_BYTES))
struct guest_private {
	uint32_t generation;            /* of the text of this process: set by the supervisor with every change */
	uint32_t tracing;               /* an exec is being followed */
	struct guest_action action[65]; /* the program's view of signals that ClearView owns */
	uint64_t hidden_mask[65];       /* what was taken out of the sa_mask of the others */
	struct { uint32_t tid; uint32_t unused; uint64_t mask; } blocked[GUEST_HIDDEN_MASKS]; /* what was taken out of a thread's mask */
	struct guest_heap heap;
	uint64_t saved_frames;          /* address of saved.c's table, GUEST_SAVED_SIZE bytes, 0: none yet */
	uint32_t incomplete;            /* on its way in or out (attach, detach): not to be adopted */
	uint32_t expedited;             /* registered for expedited barriers, as its children are */
};

_Static_assert(sizeof(struct guest_probe) <= 512, "probe table fits");
_Static_assert(sizeof(struct guest_tables) <= GUEST_MAPS_OFFSET, "tables fit before the maps");
_Static_assert(sizeof(struct guest_shared) <= GUEST_SHARED_SIZE, "shared fits");
_Static_assert(sizeof(struct guest_private) <= GUEST_BELL_OFFSET - GUEST_PRIVATE_OFFSET, "private data fits");

#endif
