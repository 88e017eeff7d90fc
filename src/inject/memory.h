/* Reading and writing a guest's memory from outside. */
#ifndef INJECT_MEMORY_H
#define INJECT_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Bytes read from the start, 0 if nothing could be. */
size_t memory_read(pid_t pid, uint64_t address, void *out, size_t size);
/* All of it or -errno. Only where the guest may write, too. */
int memory_read_all(pid_t pid, uint64_t address, void *out, size_t size) __attribute__((warn_unused_result));
int memory_write(pid_t pid, uint64_t address, const void *bytes, size_t size) __attribute__((warn_unused_result));
/* Private text, through /proc/PID/mem, which ignores page protection: the kernel gives the process a page of its own. -EPERM, -EIO: forbidden
 * here (a hardened kernel); -ESRCH: the process is gone. */
int memory_write_text(pid_t pid, uint64_t address, const void *bytes, size_t size) __attribute__((warn_unused_result));
/* Drops cached descriptors of an ended process. */
void memory_forget(pid_t pid);

#endif
