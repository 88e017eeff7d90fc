/* signalfds for the signals of faults that a process has before it is a guest: it has inherited them over an exec, or is attached to. (Those that a guest makes, its
 * blob tells of: guest/descriptors.c.) */
#ifndef NODE_SIGNAL_DESCRIPTORS_H
#define NODE_SIGNAL_DESCRIPTORS_H

#include <stdint.h>
#include <sys/types.h>

struct family;

/* The FAULT_SIGNALS that descriptors of the process take: bit s-1. */
uint64_t signal_descriptors_find(pid_t pid);
/* The blob, which is there already and has seen none, learns of them. Returns 0 or -errno. */
int signal_descriptors_tell(const struct family *f, pid_t pid, uint64_t set) __attribute__((warn_unused_result));

#endif
