/* Putting other files in the place of a running process's shared mappings: for those who may trace the process but not open its mappings' files
 * (/proc/PID/map_files wants CAP_CHECKPOINT_RESTORE). One thread is stopped for some dozens of microseconds and made to call mmap; the others run on: the bytes
 * are the same and the kernel puts a mapping in the place of another in one step. */
#ifndef INJECT_REMAP_H
#define INJECT_REMAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct remap_piece {
	uint64_t address, size, offset; /* guest address, bytes, offset in the file */
	int fd;                         /* the caller's */
	int protection;                 /* PROT_* */
};

/* syscall_at: a `syscall` instruction in the process outside the pieces' changes; scratch: 64 bytes there that nobody uses. Returns 0 or -errno:
 * -EACCES: the process has a seccomp filter, which might kill it for this; -ETIMEDOUT: no thread stops. */
int remap_process(pid_t pid, uint64_t syscall_at, uint64_t scratch, const struct remap_piece *pieces, size_t count) __attribute__((warn_unused_result));

#endif
