/* All threads of a running process, stopped for a moment: for attach and detach.
 *
 *	struct threads t;
 *	int status = threads_stop(&t, pid, 2000);     seizes and interrupts them, also those that are created meanwhile
 *	... change registers, masks; foothold.h calls the system in their place ...
 *	threads_release(&t);                          they go on, untraced
 *
 * Should the tracing process be killed, the kernel lets all of them go on as they are. */
#ifndef INJECT_THREADS_H
#define INJECT_THREADS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "base/vec.h"

struct thread {
	pid_t tid, guest_tid;         /* the second as its own pid namespace numbers it */
	struct user_regs_struct regs; /* where it goes on: may be changed while it is stopped */
	uint64_t mask;                /* signals it really blocks, bit s-1; may be changed */
	uint64_t real_mask;           /* as the kernel has it */
	bool is_stopped, is_gone, is_moved; /* moved: `regs` were changed */
	bool in_group_stop;           /* stopped by job control before we came */
	bool owes_stop;               /* a SIGSTOP came meanwhile: it is given back */
	int64_t since_us;             /* asked to stop, CLOCK_MONOTONIC */
};

struct threads {
	pid_t pid;
	bool is_filtered; /* some have system call filters: for the caller to set */
	VEC(struct thread) all;
	int64_t longest_us; /* the longest stop so far */
};

/* Stops all threads, or none. -EPERM: not allowed; -EBUSY: another tracer; -ETIMEDOUT: one doesn't stop (it waits for its vforked child, or for a device);
 * -ESRCH: the process has gone; -ECHILD: it is executing another program. */
int threads_stop(struct threads *t, pid_t pid, int timeout_ms) __attribute__((warn_unused_result));
/* The same for one of them. */
int threads_stop_one(struct threads *t, pid_t pid, pid_t tid, int timeout_ms) __attribute__((warn_unused_result));
/* Puts masks and registers in force and lets them go on. System calls that were interrupted by nothing but this are restarted, also those that the
 * kernel would end with EINTR. */
void threads_release(struct threads *t);
void thread_release(struct threads *t, struct thread *one);

/* A fault or trap of its own waits to be delivered: it was stopped on the way out of the exception. Whoever handles these signals then gets it. */
bool thread_has_faulted(const struct thread *one);
/* Lets a stopped thread run, also one that job control has stopped, and stops it again: in front of a system call outside of a range of code, behind one
 * in it that leads out of it, or when so long has passed; steps: wherever it comes out. The others stay as they are. Returns 0 or -errno. */
int thread_nudge(pid_t pid, struct thread *one, int64_t us, bool steps, uint64_t from, uint64_t to) __attribute__((warn_unused_result));
/* Reads what a stopped thread goes on with. */
int thread_note_stopped(struct thread *one) __attribute__((warn_unused_result));

/* To be called now and then after a -ETIMEDOUT: lets go of threads as soon as they have stopped after all. True while there are such. */
bool threads_tend(void);

/* Thread ids of a process; empty if it has gone. */
typedef VEC(pid_t) tid_list;
void threads_list(pid_t pid, tid_list *out);
/* Also true of zombies. */
bool thread_has_ended(pid_t pid, pid_t tid);
/* The process that traces a thread; 0: none. */
pid_t thread_tracer(pid_t pid, pid_t tid);
/* The number that a thread or process has in its own pid namespace; 0: it has gone. */
pid_t guest_number(pid_t pid, pid_t tid);
int64_t monotonic_us(void);

#endif
