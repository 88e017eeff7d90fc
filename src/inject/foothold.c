#include "inject/trace.h"
#include "inject/foothold.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "inject/maps.h"
#include "inject/memory.h"
#include "inject/trace.h"

enum { RED_ZONE = 128, GS_SIZE = 5, SYSCALL_SIZE = 2, MASK_SIZE = 8, BEFORE = 64 };
enum { ERESTARTSYS = 512, ERESTARTNOINTR = 513, ERESTARTNOHAND = 514, ERESTART_RESTARTBLOCK = 516 };

/* A run of zeros up to the mapping's end, and no code right before it. */
static bool is_unused(pid_t pid, uint64_t at)
{
	uint8_t bytes[FOOTHOLD_SIZE + BEFORE];
	if (memory_read_all(pid, at - BEFORE, bytes, sizeof bytes))
		return false;
	for (size_t i = 0; i < sizeof bytes; i++)
		if (bytes[i])
			return false;
	return true;
}

int foothold_find(struct foothold *f, pid_t pid)
{
	struct maps maps;
	*f = (struct foothold){.pid = pid};
	int status = maps_read(pid, &maps);
	if (status)
		return status;
	for (size_t i = 0; i < maps.count && !f->at; i++) {
		const struct mapping *m = &maps.at[i];
		uint64_t at = m->end - FOOTHOLD_SIZE;
		bool fits = m->executable && m->readable && !m->writable && !m->shared && (m->inode || !strcmp(m->path, "[vdso]"));
		if (fits && is_unused(pid, at))
			f->at = at;
	}
	maps_free(&maps);
	return f->at ? 0 : -ENOSPC;
}

struct code {
	uint8_t bytes[FOOTHOLD_SIZE];
	size_t used;
};

static void put(struct code *c, const void *bytes, size_t size)
{
	memcpy(c->bytes + c->used, bytes, size);
	c->used += size;
}

/* mov $value, %reg */
static void put_load(struct code *c, unsigned reg, uint64_t value)
{
	put(c, (uint8_t[]){reg >= 8 ? 0x49 : 0x48, 0xb8 | (reg & 7)}, 2);
	put(c, &value, 8);
}

/* The registers to go on with on one's own: a system call that the stop interrupted is made again. */
static struct user_regs_struct registers_alone(const struct thread *one)
{
	struct user_regs_struct r = one->regs;
	long result = (long)r.rax;
	bool interrupted = (long)r.orig_rax >= 0 && (result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND ||
						     result == -ERESTART_RESTARTBLOCK);
	if (interrupted) {
		r.rax = r.orig_rax;
		r.rip -= SYSCALL_SIZE;
	}
	return r;
}

static void write_way_back(struct code *c, const struct thread *one)
{
	struct user_regs_struct r = registers_alone(one);
	const uint64_t values[16] = {r.rax, r.rcx, r.rdx, r.rbx, 0, r.rbp, r.rsi, r.rdi, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15};
	uint32_t flags = r.eflags & ~0x10100u; /* neither trap nor resume */
	put(c, (uint8_t[]){0xf3, 0x48, 0x0f, 0xae, 0xdf}, GS_SIZE); /* wrgsbase %rdi */
	put(c, (uint8_t[]){0x0f, 0x05}, SYSCALL_SIZE); /* syscall */
	put_load(c, 4, r.rsp - RED_ZONE);
	put_load(c, 0, one->mask);
	put(c, (uint8_t[]){0x50, 0x48, 0x89, 0xe6}, 4); /* push %rax; mov %rsp, %rsi */
	put(c, (uint8_t[]){0x31, 0xd2}, 2);          /* xor %edx, %edx */
	put(c, (uint8_t[]){0xbf, 2, 0, 0, 0}, 5);    /* mov $SIG_SETMASK, %edi */
	put(c, (uint8_t[]){0x41, 0xba, 8, 0, 0, 0}, 6); /* mov $8, %r10d */
	put(c, (uint8_t[]){0xb8, SYS_rt_sigprocmask, 0, 0, 0}, 5);
	put(c, (uint8_t[]){0x0f, 0x05, 0x68}, 3);    /* syscall; push $flags; popfq */
	put(c, &flags, 4);
	put(c, (uint8_t[]){0x9d}, 1);
	for (unsigned reg = 0; reg < 16; reg++)
		if (reg != 4)
			put_load(c, reg, values[reg]);
	put_load(c, 4, r.rsp);
	put(c, (uint8_t[]){0xff, 0x25, 0, 0, 0, 0}, 6); /* jmp *0(%rip) */
	put(c, &r.rip, 8);
}

int foothold_enter(struct foothold *f, struct thread *one)
{
	struct code c = {.used = 0};
	uint64_t all = ~0ull;
	struct user_regs_struct regs = one->regs;
	write_way_back(&c, one);
	int status = memory_write_text(f->pid, f->at, c.bytes, c.used);
	if (status)
		return status;
	f->is_written = true;
	regs.rip = f->at + GS_SIZE + SYSCALL_SIZE;
	regs.orig_rax = -1;
	if (trace_put_registers(one->tid, &regs))
		return -ESRCH;
	ptrace(PTRACE_SETSIGMASK, one->tid, (void *)(long)MASK_SIZE, &all);
	f->thread = one;
	return 0;
}

/* Lets it run until the next stop of a system call; 0, or -ESRCH. */
static int step(struct thread *one, enum __ptrace_request how, bool to_call)
{
	int status;
	for (;;) {
		if (ptrace(how, one->tid, NULL, NULL))
			return -ESRCH;
		while (waitpid(one->tid, &status, __WALL) < 0)
			if (errno != EINTR)
				return -ESRCH;
		if (!WIFSTOPPED(status)) {
			one->is_gone = true;
			return -ESRCH;
		}
		bool is_call = WSTOPSIG(status) == (SIGTRAP | 0x80), is_event = status >> 16 != 0;
		if (to_call ? is_call : is_event)
			return 0;
		one->owes_stop |= !is_call && !is_event && WSTOPSIG(status) == SIGSTOP;
	}
}

static long run(struct foothold *f, struct user_regs_struct *regs)
{
	struct thread *one = f->thread;
	regs->orig_rax = -1; /* the call that we interrupted must not be restarted in here */
	if (trace_put_registers(one->tid, regs) || step(one, PTRACE_SYSCALL, true) || step(one, PTRACE_SYSCALL, true) ||
	    ptrace(PTRACE_GETREGS, one->tid, NULL, regs))
		return -ESRCH;
	return (long)regs->rax;
}

int foothold_gs_base(struct foothold *f, uint64_t value)
{
	struct user_regs_struct regs = f->thread->regs;
	regs.rip = f->at;
	regs.rax = SYS_getpid;
	regs.rdi = value;
	f->thread->regs.gs_base = value;
	return run(f, &regs) < 0 ? -ESRCH : 0;
}

long foothold_call(struct foothold *f, long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t g)
{
	struct user_regs_struct regs = f->thread->regs;
	regs.rip = f->at + GS_SIZE;
	regs.rax = number;
	regs.rdi = a;
	regs.rsi = b;
	regs.rdx = c;
	regs.r10 = d;
	regs.r8 = e;
	regs.r9 = g;
	return run(f, &regs);
}

/* Back into a stop at which the kernel still decides about restarting the interrupted call. */
void foothold_leave(struct foothold *f)
{
	struct thread *one = f->thread;
	f->thread = NULL;
	if (one->is_gone || ptrace(PTRACE_INTERRUPT, one->tid, NULL, NULL) || step(one, PTRACE_CONT, false))
		return;
	ptrace(PTRACE_SETSIGMASK, one->tid, (void *)(long)MASK_SIZE, &one->mask);
	one->real_mask = one->mask;
	trace_put_registers(one->tid, &one->regs);
}

int foothold_wipe(struct foothold *f)
{
	static const uint8_t zeros[FOOTHOLD_SIZE];
	int status = f->is_written ? memory_write_text(f->pid, f->at, zeros, sizeof zeros) : 0;
	f->is_written = false;
	return status;
}
