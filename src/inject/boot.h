/* Bringing ClearView into a fresh process: at an exec, with the new program mapped and not one instruction of it executed. */
#ifndef INJECT_BOOT_H
#define INJECT_BOOT_H

#include <clearview/guest.h>
#include <stdbool.h>
#include <sys/types.h>

#include "inject/maps.h"

#define CODE_MEMFD "clearview-code"

/* The memory a family shares with its supervisor. */
struct guest_memory {
	int code_fd, shared_fd;
	uint8_t *code;   /* host mappings */
	void *shared;
};

/* Makes the two memfds, copies the blob in. Returns 0 or -errno. */
int guest_memory_make(struct guest_memory *g) __attribute__((warn_unused_result));
/* Maps memfds that exist already; takes the descriptors over. On failure they stay the caller's. */
int guest_memory_map(struct guest_memory *g, int code_fd, int shared_fd) __attribute__((warn_unused_result));
void guest_memory_release(struct guest_memory *g);

/* Where zones go in a process. */
struct boot_plan {
	uint64_t base;                       /* zone 0 with tables */
	uint64_t zone[2];                    /* starts of the code zones; zone[1] 0: none */
	bool above[2];
	uint64_t no_exec_start, no_exec_size;
	uint64_t stack_end;                  /* of the first thread's stack */
	uint64_t bell_offset;                /* the family's bell in the bell memfd */
	uint64_t shadow;                     /* the gs base; 0: none. For the caller to set */
	bool expedites;                      /* register for expedited barriers. For the caller to set */
};

/* Chooses places near the program and near its dynamic loader (loader 0: none). -ENOSPC: no room. */
int boot_plan_make(const struct maps *maps, uint64_t program_text, uint64_t loader_text, struct boot_plan *out) __attribute__((warn_unused_result));

/* Runs the blob's boot code in a stopped (traced) thread and puts everything back. On failure *step tells how far it came. In any case the thread is to go on with
 * *signal (0: none): one that was pending, with what it carries. */
int boot_run(pid_t tid, const struct guest_memory *g, int bell_fd, const struct boot_plan *plan, int *step, int *signal) __attribute__((warn_unused_result));

#endif
