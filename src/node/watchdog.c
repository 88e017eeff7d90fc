#include "node/watchdog.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "inject/memory.h"
#include "inject/trace.h"
#include "monitor/loop.h"
#include "node/failures.h"
#include "node/supervisor.h"

enum {
	EVERY_US = 500000,
	SUSPECT_MS = 2000,     /* of a thread's own time without a wait */
	AGAIN_MS = 1000,       /* until a proven loop is told again */
	SYSTEM_SHARE = 20,     /* a thread that spends more than one in so many of its ticks in the kernel gets somewhere */
	STEPS_MAX = 30000,
	STEPS_BETWEEN_PROOFS = 10000,
	STEPPING_US = 400000,
	STOP_MS = 2000,        /* a thread that doesn't stop by then is left alone */
	THREADS_MAX = 512,     /* of a process that are looked at */
};

/* A thread that computes. */
struct busy {
	pid_t pid, tid;
	uint64_t user, system, waits; /* when it began, as the kernel counts */
	uint64_t due_ms, wait_ms;     /* when it is looked at; the next interval */
	bool seen;
};

struct usage {
	uint64_t user, system, waits; /* ticks, ticks, voluntary context switches */
};

static VEC(struct busy) busy;
static VEC(struct { pid_t pid; uint64_t user; bool seen; }) processes;

static uint64_t ms_of(uint64_t ticks)
{
	return ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

static bool read_text(const char *name, char *text, size_t size)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);
	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = 0;
	return got > 0;
}

static bool read_times(const char *name, struct usage *out)
{
	char text[1024];
	unsigned long long user, system;
	const char *at = read_text(name, text, sizeof text) ? strrchr(text, ')') : NULL;
	if (!at || sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2)
		return false;
	out->user = user;
	out->system = system;
	return true;
}

static bool read_usage(pid_t pid, pid_t tid, struct usage *out)
{
	char name[64], text[4096];
	snprintf(name, sizeof name, "/proc/%d/task/%d/stat", pid, tid);
	if (!read_times(name, out))
		return false;
	snprintf(name, sizeof name, "/proc/%d/task/%d/status", pid, tid);
	const char *at = read_text(name, text, sizeof text) ? strstr(text, "\nvoluntary_ctxt_switches:") : NULL;
	unsigned long long waits;
	if (!at || sscanf(at, "\nvoluntary_ctxt_switches: %llu", &waits) != 1)
		return false;
	out->waits = waits;
	return true;
}

static struct busy *busy_of(pid_t pid, pid_t tid)
{
	for (size_t i = 0; i < busy.count; i++)
		if (busy.at[i].pid == pid && busy.at[i].tid == tid)
			return &busy.at[i];
	vec_push(&busy, (struct busy){.pid = pid, .tid = tid, .waits = ~0ull});
	return &busy.at[busy.count - 1];
}

/* Has the thread been at it for long enough? It begins anew with every wait, and when it is busy with system calls. */
static bool is_due(struct busy *b, const struct usage *now)
{
	uint64_t user = now->user - b->user, system = now->system - b->system;
	b->seen = true;
	if (now->waits != b->waits || system * SYSTEM_SHARE > user + SYSTEM_SHARE) {
		b->user = now->user;
		b->system = now->system;
		b->waits = now->waits;
		b->due_ms = b->wait_ms = SUSPECT_MS;
		return false;
	}
	return ms_of(user) >= b->due_ms;
}

/* --- Looking closely. */

struct stepping {
	struct family *family;
	pid_t pid, tid;
	struct user_regs_struct r;
	struct loop_trace *trace;
	bool is_stuck; /* in an instruction: a page fault that somebody has to resolve */
};

static size_t read_guest(void *context, uint64_t address, void *out, size_t size)
{
	return memory_read(((struct stepping *)context)->pid, address, out, size);
}

static struct cfi_registers registers_of(const struct user_regs_struct *r)
{
	return (struct cfi_registers){.general = {r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi, r->r8, r->r9, r->r10, r->r11, r->r12,
						  r->r13, r->r14, r->r15},
				      .rip = r->rip, .rflags = r->eflags};
}

static void set_registers(struct user_regs_struct *r, const struct cfi_registers *from)
{
	unsigned long long *const to[REG_COUNT] = {&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp, &r->rsi, &r->rdi, &r->r8, &r->r9, &r->r10,
						   &r->r11, &r->r12, &r->r13, &r->r14, &r->r15};
	for (int i = 0; i < REG_COUNT; i++)
		*to[i] = from->general[i];
	r->rip = from->rip;
	r->eflags &= ~0x500ull; /* direction flag clear, as between procedures; no trap */
	r->orig_rax = ~0ull;    /* no system call to be restarted */
}

/* Probes are no part of the program: they may wait for this supervisor, and save flags with the one that single-stepping sets. As guest/entry.S has
 * it, one begins with lea -128(%rsp), %rsp. Loops that are being observed are looked at again when they no longer are. */
static bool is_probe(const struct stepping *s, const uint8_t *bytes)
{
	bool in_blob = s->r.rip - s->family->image.base < GUEST_PRIVATE_OFFSET;
	bool begins = !memcmp(bytes, (uint8_t[]){0x48, 0x8d, 0x64, 0x24, 0x80}, 5) && image_original(&s->family->image, s->r.rip);
	return in_blob || begins || bytes[0] == 0x9c;
}

static bool record(struct stepping *s, const uint8_t *bytes, size_t available)
{
	struct cfi_registers r = registers_of(&s->r);
	uint64_t segments[2] = {s->r.fs_base, s->r.gs_base};
	if (is_probe(s, bytes))
		return false;
	return loop_record(s->trace, &r, segments, bytes, available, read_guest, s);
}

/* Records the instruction at hand and executes it. False: the thread isn't ours to step any longer; *signal is then what it has to get. */
static bool one_step(struct stepping *s, int *signal)
{
	uint8_t bytes[16] = {0};
	siginfo_t info;
	size_t available = memory_read(s->pid, s->r.rip, bytes, sizeof bytes);
	if (!record(s, bytes, available) || ptrace(PTRACE_SINGLESTEP, s->tid, NULL, NULL))
		return false;
	enum trace_stop stop = trace_next(s->tid, true, signal);
	s->is_stuck = stop == TRACE_NONE;
	if (stop != TRACE_TRAPPED) {
		if (stop != TRACE_SIGNAL)
			*signal = 0;
		return false;
	}
	if (ptrace(PTRACE_GETSIGINFO, s->tid, NULL, &info) || info.si_code != TRAP_TRACE)
		return false; /* a trap of its own: it gets that */
	*signal = 0;
	return !ptrace(PTRACE_GETREGS, s->tid, NULL, &s->r);
}

/* False: not proven. */
static bool step_until_proven(struct stepping *s, struct loop_found *found, int *signal)
{
	int64_t until = clock_us() + STEPPING_US;
	for (unsigned n = 1; n <= STEPS_MAX; n++) {
		bool last = n == STEPS_MAX || clock_us() > until;
		if (!one_step(s, signal))
			return false;
		if ((n % STEPS_BETWEEN_PROOFS == 0 || n == 300 || n == 2000 || last) && loop_prove(s->trace, found))
			return true;
		if (last)
			return false;
	}
	return false;
}

/* No trap is left behind that nobody would take. */
static void stop_stepping(pid_t tid)
{
	struct user_regs_struct r;
	if (ptrace(PTRACE_GETREGS, tid, NULL, &r))
		return;
	r.eflags &= ~0x100ull;
	trace_set_registers(tid, &r);
}

/* True: a loop was proven. */
static bool examine(struct supervisor *s, struct family *f, pid_t pid, pid_t tid)
{
	struct stepping stepping = {.family = f, .pid = pid, .tid = tid};
	struct loop_found found;
	int signal = 0;
	if (trace_seize(tid))
		return false;
	trace_deadline(STOP_MS);
	enum trace_stop stop = ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) ? TRACE_GONE : trace_next(tid, true, &signal);
	bool stopped = stop == TRACE_GROUP && !ptrace(PTRACE_GETREGS, tid, NULL, &stepping.r);
	bool proven = false;
	if (stop != TRACE_SIGNAL && stop != TRACE_TRAPPED)
		signal = 0;
	if (stopped) {
		stepping.trace = loop_new();
		proven = step_until_proven(&stepping, &found, &signal);
	}
	if (proven) {
		struct cfi_registers before = registers_of(&stepping.r), after;
		log_info("endless loop of %zu instructions in %d", found.length, tid);
		if (failures_hang(s, f, pid, tid, &before, &found, &after)) {
			set_registers(&stepping.r, &after);
			trace_set_registers(tid, &stepping.r);
		}
	}
	loop_free(stepping.trace);
	trace_deadline(0);
	if (stop == TRACE_NONE || stepping.is_stuck) {
		follow_let_go(s, pid, tid);
		return false;
	}
	stop_stepping(tid);
	trace_detach(tid, signal);
	return proven;
}

/* --- Looking at all. */

static void look_at_thread(struct supervisor *s, struct family *f, pid_t pid, pid_t tid)
{
	struct usage now;
	struct busy *b = busy_of(pid, tid);
	if (!read_usage(pid, tid, &now) || !is_due(b, &now))
		return;
	bool proven = examine(s, f, pid, tid);
	b = busy_of(pid, tid);
	b->wait_ms *= proven ? 1 : 2;
	b->due_ms = ms_of(now.user - b->user) + (proven ? AGAIN_MS : b->wait_ms / 2);
}

/* Has the process used a fair part of a processor since the last look? */
static bool is_busy(pid_t pid, int64_t elapsed_us)
{
	char name[32];
	struct usage now = {0};
	size_t i = 0;
	while (i < processes.count && processes.at[i].pid != pid)
		i++;
	snprintf(name, sizeof name, "/proc/%d/stat", pid);
	if (!read_times(name, &now))
		return false;
	if (i == processes.count) {
		processes.count++;
		if (processes.count > processes.capacity)
			processes.at = vec_grow(processes.at, &processes.capacity, sizeof *processes.at);
		processes.at[i].pid = pid;
		processes.at[i].user = now.user;
	}
	uint64_t used = ms_of(now.user - processes.at[i].user);
	processes.at[i].user = now.user;
	processes.at[i].seen = true;
	return (int64_t)used * 8000 >= elapsed_us; /* others may want the processors, too */
}

static void look_at_process(struct supervisor *s, struct family *f, pid_t pid)
{
	char name[32];
	VEC(pid_t) tids = {0};
	snprintf(name, sizeof name, "/proc/%d/task", pid);
	DIR *d = opendir(name);
	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.' && tids.count < THREADS_MAX)
			vec_push(&tids, (pid_t)atoi(e->d_name));
	if (d)
		closedir(d);
	for (size_t i = 0; i < tids.count; i++)
		look_at_thread(s, f, pid, tids.at[i]);
	vec_free(&tids);
}

static void forget_unseen(void)
{
	for (size_t i = busy.count; i-- > 0;)
		if (!busy.at[i].seen)
			busy.at[i] = busy.at[--busy.count];
	for (size_t i = processes.count; i-- > 0;)
		if (!processes.at[i].seen)
			processes.at[i] = processes.at[--processes.count];
}

void watchdog_tick(struct supervisor *s)
{
	static int64_t last_us;
	int64_t now = clock_us(), elapsed = now - last_us;
	if (elapsed >= 0 && elapsed < EVERY_US)
		return;
	last_us = now;
	for (size_t i = 0; i < busy.count; i++)
		busy.at[i].seen = false;
	for (size_t i = 0; i < processes.count; i++)
		processes.at[i].seen = false;
	for (size_t i = 0; i < s->families.count; i++) {
		struct family *f = s->families.at[i];
		for (size_t k = 0; k < f->processes.count; k++) {
			pid_t pid = f->processes.at[k].pid;
			if (is_busy(pid, elapsed))
				look_at_process(s, f, pid);
		}
	}
	forget_unseen();
}
