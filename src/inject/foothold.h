/* System calls in the place of a stopped thread, so that the process survives whatever becomes of the one who makes them. A foothold is a few bytes that nobody
 * uses at the end of an executable mapping:
 *
 *	        wrgsbase %rdi            (only when that is wanted)
 *	        syscall                  <- the thread is set here, and stops again behind it
 *	        rt_sigprocmask(saved)    only a thread whose tracer was killed comes here, and finds its own way back:
 *	        mov $saved, %reg ...     all registers as they were when it was stopped
 *	        jmp *saved rip
 *
 * A system call that the stop had interrupted is then made again. */
#ifndef INJECT_FOOTHOLD_H
#define INJECT_FOOTHOLD_H

#include "inject/threads.h"

enum { FOOTHOLD_SIZE = 288 };

struct foothold {
	pid_t pid;
	uint64_t at;            /* guest address */
	struct thread *thread;  /* who stands there; NULL: nobody */
	bool is_written;
};

/* -ENOSPC: no executable mapping of the process has the room. Nothing is changed yet. */
int foothold_find(struct foothold *f, pid_t pid) __attribute__((warn_unused_result));
/* Puts a stopped thread there. -EPERM, -EIO: text can't be written here (a hardened kernel); then nothing has been changed. */
int foothold_enter(struct foothold *f, struct thread *one) __attribute__((warn_unused_result));
/* The system call's result, -errno as the kernel gives it; -ESRCH also when the thread was killed. */
long foothold_call(struct foothold *f, long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t g);
/* Sets its gs base, which may lie in the upper half. */
int foothold_gs_base(struct foothold *f, uint64_t value) __attribute__((warn_unused_result));
/* The thread is where it was, stopped. */
void foothold_leave(struct foothold *f);
/* The bytes are as they were. After the last thread has left. */
int foothold_wipe(struct foothold *f);

#endif
