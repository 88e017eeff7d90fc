/* A stopped thread goes on for a moment, while the others stay: out of our code and no further. It runs with PTRACE_SYSEMU, which stops in front of each system
 * call and leaves it out:
 *
 *   SEEK   a call of the program: taken back, done. One of ours: taken back, and once more with PTRACE_SYSCALL -> AGAIN
 *   AGAIN  the end of the call left out, then the beginning of the real one -> IN
 *   IN     its end, -> SEEK; done if it has led out, as the signal handler's last does
 *
 * A program that does little but make calls is outside for moments only, and its calls are made by our code. So every other time what is inside is
 * stepped, instruction by instruction, to be held where it comes out.
 *
 * One that begins outside, in a handler of the program's that has interrupted our code, makes one call of its own. Signals that come meanwhile wait, since
 * with a fast timer there is always one more: blocked, but not where our code, the program or the kernel could take note of the mask. Signals of faults can't be
 * blocked, so those that were sent are taken out and sent again: our handler, which they may interrupt, has only so much of a stack. */
#include <clearview/guest_signals.h>
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "inject/threads.h"
#include "inject/trace.h"

enum { PATIENCE_US = 1000000, ROUND_NS = 50000, CALL_STOP = SIGTRAP | 0x80, SYSCALL_SIZE = 2, MASK_SIZE = 8, MESSAGE_CALL_BEGINS = 1, FAULTS_MAX = 5 };
#define TRAP_FLAG 0x100ull
enum nudge_state { SEEK, AGAIN, IN };

struct nudge {
	struct thread *thread;
	uint64_t from, to;
	enum nudge_state state;
	bool may_call;    /* one of the program's own */
	bool steps, inside; /* is stepped where it is inside: behind a call, where our code saves no flags any more, and where it may be */
	bool interrupted; /* asked to stop: the next stop that isn't its own is ours */
	uint64_t postponed, added; /* signals that wait, bit s-1; those of them that are blocked now because of that */
	siginfo_t later[FAULTS_MAX]; /* signals of faults that wait, having been sent */
	unsigned later_count;
	pid_t pid;
};

/* How it stopped, as waitpid gives it; -EAGAIN: not until then. SIGCHLD ends the pauses. */
static int await(const struct nudge *n, int64_t until_us, int *how)
{
	const struct timespec pause = {0, ROUND_NS};
	for (;;) {
		pid_t got = waitpid(n->thread->tid, how, __WALL | WNOHANG);
		if (got > 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return -ESRCH;
		if (monotonic_us() > until_us)
			return -EAGAIN;
		nanosleep(&pause, NULL);
	}
}

static bool is_stepping(const struct nudge *n)
{
	return n->steps && n->inside && n->state == SEEK;
}

/* Any other stop makes the kernel forget an interrupt; so it is asked for with each. */
static int resume(const struct nudge *n, int signal)
{
	enum __ptrace_request seek = is_stepping(n) ? PTRACE_SYSEMU_SINGLESTEP : PTRACE_SYSEMU;
	enum __ptrace_request how = n->interrupted ? PTRACE_CONT : n->state == SEEK ? seek : PTRACE_SYSCALL;
	if (n->interrupted)
		trace_interrupt(n->thread->tid);
	return ptrace(how, n->thread->tid, NULL, (void *)(long)signal) ? -ESRCH : 0;
}

static int take_back(struct nudge *n, struct user_regs_struct *r)
{
	r->rip -= SYSCALL_SIZE;
	r->rax = r->orig_rax;
	r->orig_rax = -1;
	return trace_put_registers(n->thread->tid, r) ? -ESRCH : 0;
}

static bool is_outside(const struct nudge *n, uint64_t pc)
{
	return pc < n->from || pc >= n->to;
}

/* The signals that wait are blocked, or the mask is the thread's own. */
static void set_waiting(struct nudge *n, bool blocked)
{
	uint64_t mask;
	if (!n->postponed || ptrace(PTRACE_GETSIGMASK, n->thread->tid, (void *)(long)MASK_SIZE, &mask))
		return;
	mask &= ~n->added;
	n->added = blocked ? n->postponed & ~mask : 0;
	mask |= n->added;
	ptrace(PTRACE_SETSIGMASK, n->thread->tid, (void *)(long)MASK_SIZE, &mask);
}

/* The kernel queues a signal again that was blocked when it was about to be delivered. A fault goes to our handler, which blocks the others. */
static void at_signal(struct nudge *n, int signal)
{
	n->postponed |= SIGNAL_BIT(signal) & ~FAULT_SIGNALS;
	set_waiting(n, !(SIGNAL_BIT(signal) & FAULT_SIGNALS));
}

/* A trap that is blocked kills. */
static bool may_trap(const struct nudge *n)
{
	uint64_t mask;
	return n->steps && !ptrace(PTRACE_GETSIGMASK, n->thread->tid, (void *)(long)MASK_SIZE, &mask) && !(mask & SIGNAL_BIT(SIGTRAP));
}

static int at_call(struct nudge *n)
{
	struct user_regs_struct r;
	unsigned long end;
	if (ptrace(PTRACE_GETREGS, n->thread->tid, NULL, &r) || ptrace(PTRACE_GETEVENTMSG, n->thread->tid, NULL, &end))
		return -ESRCH;
	if (r.eflags & TRAP_FLAG && !n->inside)
		n->steps = false; /* it steps itself */
	else
		r.eflags &= ~TRAP_FLAG;
	n->inside = !is_outside(n, r.rip) && may_trap(n);
	bool begins = end == MESSAGE_CALL_BEGINS, outside = is_outside(n, r.rip - (begins ? SYSCALL_SIZE : 0)), done = outside && !n->may_call;
	if (begins && n->state == SEEK) {
		n->state = done ? SEEK : AGAIN;
		n->interrupted |= done;
		n->may_call &= !outside;
		return take_back(n, &r);
	}
	if (begins) {
		n->state = IN;
		set_waiting(n, false);
	} else if (n->state == IN) {
		n->state = SEEK;
		set_waiting(n, true);
		n->interrupted |= done;
	}
	return 0;
}

/* One that only its sender's process could send again is let through. */
static bool keep_for_later(struct nudge *n, int signal)
{
	siginfo_t info;
	if (!(SIGNAL_BIT(signal) & FAULT_SIGNALS) || ptrace(PTRACE_GETSIGINFO, n->thread->tid, NULL, &info) || info.si_code >= 0 || info.si_code == SI_TKILL)
		return false;
	for (unsigned i = 0; i < n->later_count; i++)
		if (n->later[i].si_signo == signal) /* as the kernel does it */
			return true;
	if (n->later_count == FAULTS_MAX)
		return false;
	n->later[n->later_count++] = info;
	return true;
}

static void send_later_ones(const struct nudge *n)
{
	for (unsigned i = 0; i < n->later_count; i++)
		syscall(SYS_rt_tgsigqueueinfo, n->pid, n->thread->tid, n->later[i].si_signo, &n->later[i]);
}

static bool is_step(const struct nudge *n)
{
	siginfo_t info;
	return is_stepping(n) && !ptrace(PTRACE_GETSIGINFO, n->thread->tid, NULL, &info) && info.si_signo == SIGTRAP &&
	       (info.si_code == TRAP_TRACE || info.si_code == TRAP_BRKPT /* behind a system call */);
}

/* Behind a popf the kernel takes the trap flag for the program's own, and leaves it. */
static int at_step(struct nudge *n)
{
	struct user_regs_struct r;
	if (ptrace(PTRACE_GETREGS, n->thread->tid, NULL, &r))
		return -ESRCH;
	n->inside = !is_outside(n, r.rip);
	n->interrupted |= !n->inside;
	if (!n->interrupted || !(r.eflags & TRAP_FLAG))
		return 0;
	r.eflags &= ~TRAP_FLAG;
	return trace_put_registers(n->thread->tid, &r) ? -ESRCH : 0;
}

/* What follows a stop: 1: it stays stopped; 0: on, with that signal. */
static int judge(struct nudge *n, int how, int *signal)
{
	int event = how >> 16;
	*signal = 0;
	if (!WIFSTOPPED(how)) {
		n->thread->is_gone = true;
		return -ESRCH;
	}
	if (event == PTRACE_EVENT_EXEC) {
		trace_detach(n->thread->tid, 0);
		n->thread->is_gone = true;
		return -ECHILD;
	}
	if (event) { /* an interrupt of before comes once more */
		n->thread->in_group_stop |= WSTOPSIG(how) != SIGTRAP;
		return n->interrupted;
	}
	if (WSTOPSIG(how) == CALL_STOP)
		return at_call(n);
	if (WSTOPSIG(how) == SIGTRAP && is_step(n))
		return at_step(n);
	if (keep_for_later(n, WSTOPSIG(how)))
		return 0;
	*signal = WSTOPSIG(how);
	n->steps &= !(SIGNAL_BIT(*signal) & FAULT_SIGNALS); /* our handler mustn't see the trap flag */
	at_signal(n, *signal);
	return 0;
}

int thread_nudge(pid_t pid, struct thread *one, int64_t us, bool steps, uint64_t from, uint64_t to)
{
	struct nudge n = {.pid = pid, .thread = one, .from = from, .to = to, .steps = steps};
	int64_t until = monotonic_us() + us, at_last = until + PATIENCE_US;
	int how, signal = 0, status = one->is_moved ? trace_put_registers(one->tid, &one->regs) : 0;
	if (status)
		return -ESRCH;
	n.may_call = is_outside(&n, one->regs.rip);
	one->is_moved = one->is_stopped = false;
	do {
		status = resume(&n, signal);
		if (!status)
			status = await(&n, n.interrupted ? at_last : until, &how);
		if (status == -EAGAIN && !n.interrupted) {
			n.interrupted = true;
			if (!is_stepping(&n)) /* a step ends soon, and its trap mustn't be left behind */
				trace_interrupt(one->tid);
			status = await(&n, at_last, &how);
		}
		if (!status)
			status = judge(&n, how, &signal);
	} while (!status);
	send_later_ones(&n);
	if (status > 0)
		set_waiting(&n, false);
	return status < 0 ? status : thread_note_stopped(one);
}
