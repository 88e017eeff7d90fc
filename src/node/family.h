/* A family of processes: one image, its shared memory, and what the supervisor knows of each process. */
#ifndef NODE_FAMILY_H
#define NODE_FAMILY_H

#include "engine/image.h"
#include "inject/boot.h"
#include "node/options.h"

struct supervisor;

struct family_process {
	pid_t pid;
	int pidfd;
	uint64_t start;    /* /proc/PID/stat field 22 */
	uint32_t perf_generation; /* of the text that its perf map tells of; 0: none yet */
};

struct family {
	uint32_t number;
	struct supervisor *supervisor;
	struct image image;
	struct guest_memory memory;
	struct boot_plan plan;
	VEC(struct family_process) processes;
	char program[256];
	struct module *program_module;
	pid_t last_pid;    /* the process that ended last */
	unsigned hook_calls;
	int64_t swept_us;  /* when its mailbox was last searched for slots of dead threads */
	unsigned next_slot; /* where to go on looking into the mailbox */
	unsigned nonsense; /* events that can't be; after some the mailbox isn't looked at for a while */
	int64_t deaf_until_us;
	bool has_many_modules; /* said so */
	bool has_refused_code; /* said so */
	bool is_stopped;   /* none of its threads runs: attach and detach */
	bool is_traced;               /* by somebody else, who puts breakpoints into its text: tracers.h */
	int64_t traced_us;            /* when that was said last */
	size_t next_tracee;           /* of its processes: to be looked at */
	bool has_signal_descriptors; /* a signalfd for the signals of faults: weave_syscalls.c */
	pid_t loading;     /* the process whose dynamic linker has just mapped something: nobody runs in there; 0: none */
	bool is_attaching; /* only what must not be missed is woven yet */
	uint64_t landings_seen, unnoted_seen; /* guest_shared.landings and unnoted_returns at the last look */
	struct heap_watch *heap; /* NULL: nothing yet */
	uint32_t flip_probe; /* flip.c */
	uint64_t hook;     /* module offset of the dynamic linker's debugger hook, 0: none */
};

/* The dynamic linker's first calls of its debugger hook come before the program runs: two, and one that is before the next change. Where it is known
 * what it calls for, only the second is heard of. */
enum { FIRST_HOOK_CALLS = 3 };

/* Owners of wishes (engine/image.h): who wove a probe. Patches and checks use their own numbers from OWNER_DYNAMIC on. */
enum { OWNER_SYSCALLS = 1, OWNER_HEAP, OWNER_LEARN, OWNER_SERVED, OWNER_FLIP, OWNER_DYNAMIC = 1000 };

/* A traced process that stopped at an exec becomes a family of its own: boots it, loads what is mapped so far. Leaves it stopped. On failure the
 * process is untouched and can go on natively; *why has the reason. In any case it is to go on with *signal (0: none). */
int family_start(struct supervisor *s, pid_t pid, struct family **out, int *signal, const char **why) __attribute__((warn_unused_result));
/* A running process becomes a family of its own (attach.c). What costs time is done before and after its threads are stopped. On failure it is as it was. */
struct attached {
	unsigned threads;
	int64_t longest_stop_us;
};
int family_attach(struct supervisor *s, pid_t pid, struct family **out, struct attached *outcome, const char **why) __attribute__((warn_unused_result));
/* Takes over processes whose supervisor was killed, and their memory; bell: its offset in the memfd. On failure the memory stays the caller's, and the processes go on as they were. */
int family_take_over(struct supervisor *s, const struct guest_memory *memory, uint64_t base, uint64_t bell, const pid_t *pids, size_t count, struct family **out)
	__attribute__((warn_unused_result));
void family_free(struct family *f);

/* Brings the image's modules up to date with what a process has mapped, and weaves what is wanted in the new ones. live: other threads or processes may be
 * running in the text. */
void family_modules(struct family *f, pid_t pid, bool live);
/* The same when its dynamic linker says so, before it runs what is new. */
void family_loads(struct family *f, pid_t pid, bool live);
/* Adds a process that turned up (a fork, or found by its mappings). parent 0: unknown. */
int family_add_process(struct family *f, pid_t pid, pid_t parent, uint32_t generation);
void family_remove_process(struct family *f, pid_t pid);
struct family_process *family_process(struct family *f, pid_t pid);
/* Looks for processes of the family that have not introduced themselves yet: when the last one known has ended right after a fork, as daemons do. True if there
 * are any; they are added. */
bool family_find_strays(struct family *f);
/* The process of the family that has the thread; 0: none. */
pid_t family_process_of_thread(struct family *f, pid_t tid);
/* The process has this family's zone 0 mapped. */
bool family_owns(struct family *f, pid_t pid);
/* Writes where the process itself may write, too; only into this family's memory, whatever has become of the process id. 0 or -errno. */
int family_write(struct family *f, pid_t pid, uint64_t address, const void *bytes, size_t size) __attribute__((warn_unused_result));

/* Stages all wishes and writes them into the guests. */
void family_apply(struct family *f, bool live);

uint64_t process_start_time(pid_t pid);
bool process_has_thread(pid_t pid, pid_t tid);

#endif
