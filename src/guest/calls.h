/* Whose system call it is, in a process with system call filters (seccomp). */
#ifndef GUEST_CALLS_H
#define GUEST_CALLS_H

#include "guest/guest_internal.h"

/* calls.c. In seccomp's strict mode this thread may only read, write, exit and return from handlers. */
bool may_call_nothing(void);
void thread_goes_strict(bool does);
/* On behalf of the program: its filters judge it. */
long program_call(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
/* The blob is about to do the program's system call in its place: false if a filter forbids it, or isn't done with it; the program's own instruction will
 * hear what the filter says. */
bool program_may_call(long number, uint64_t a, uint64_t d);
/* A SIGSYS that program_may_call provoked: it goes on. */
bool was_asking(int signal, struct context *c);

/* filter.c: prctl and seccomp. True: done. */
bool program_seccomp(struct probe_frame *f, int number);

#endif
