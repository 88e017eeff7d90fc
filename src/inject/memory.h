/* Reading and writing a guest's memory from outside. */
#ifndef INJECT_MEMORY_H
#define INJECT_MEMORY_H

#include <stdbool.h>
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
/* The same, but only into the address space that `is_it` recognises by a descriptor of /proc/PID/mem: the process may have ended, and another got its
 * number; it may have gone to another program. A descriptor stays with the address space that it was opened on. -ESRCH: it isn't. */
typedef bool memory_check(void *context, pid_t pid, int mem_fd);
int memory_write_checked(pid_t pid, uint64_t address, const void *bytes, size_t size, memory_check *is_it, void *context) __attribute__((warn_unused_result));
/* Drops cached descriptors of an ended process. */
void memory_forget(pid_t pid);

#endif
