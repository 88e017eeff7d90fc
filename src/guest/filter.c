/* System call filters (seccomp) that the program installs. All filters are asked and the strictest answer counts, so each gets instructions in front that let the
 * blob's own system calls through, and keeps its meaning for all others:
 *
 *      if (the instruction isn't in the blob's text, or not of x86-64) goto program
 *      if (it is one of calls[], with such arguments) return ALLOW
 *   program:
 *      A = 0; the program's filter
 *
 * A filter outlives an exec, and what it lets through at that place with it; and a hijacked program could jump to the blob's instructions. So calls[] has only
 * what touches nothing but the process itself, maps nothing executable and signals nobody else. */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/prctl.h>

#include "guest/calls.h"
#include "guest/signals.h"

enum { PROT_EXEC_ = 4, MAP_ANONYMOUS_ = 0x20, GET_FS = 0x1003, GET_GS = 0x1004, MODE_STRICT = 1, MODE_FILTER = 2, TESTS = 2 };
enum { OWN_PID = -2 /* tgkill: of the process that installs the filter */ };

struct allowed {
	uint16_t number;
	struct { uint8_t argument, mask; int32_t value; } test[TESTS]; /* (low word of argument & mask) == value; mask 0: no test, 255: all bits */
};

enum { ALL = 255 };
static const struct allowed calls[] = {
	{__NR_rt_sigreturn, {}},
	{__NR_gettid, {}},
	{__NR_getpid, {}},
	{__NR_getppid, {}},
	{__NR_futex, {}},
	{__NR_sched_yield, {}},
	{__NR_rt_sigprocmask, {}},
	{__NR_rt_sigaction, {}},
	{__NR_sigaltstack, {}},
	{__NR_rt_sigpending, {}},
	{__NR_rt_sigtimedwait, {}},
	{__NR_munmap, {}},
	{__NR_madvise, {}},
	{__NR_brk, {}},
	{__NR_kill, {{1, ALL, 0}}},
	{__NR_tgkill, {{2, ALL, 0}}},
	{__NR_tgkill, {{0, ALL, OWN_PID}}},
	{__NR_arch_prctl, {{0, ALL, GET_FS}}},
	{__NR_arch_prctl, {{0, ALL, GET_GS}}},
	{__NR_mprotect, {{2, PROT_EXEC_, 0}}},
	{__NR_mmap, {{2, PROT_EXEC_, 0}, {3, MAP_ANONYMOUS_, MAP_ANONYMOUS_}}},
};
enum { CALLS = sizeof calls / sizeof calls[0], HEAD = 8, BEFORE_MAX = HEAD + CALLS * (3 + 3 * TESTS) + 1, LENGTH_MAX = 4096 };

_Static_assert(BEFORE_MAX < 256, "jumps over it fit");

#define LOAD(offset) (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define UNLESS(comparison, k, skip) (struct sock_filter)BPF_JUMP(BPF_JMP | comparison | BPF_K, k, 0, skip)

static unsigned put_call(struct sock_filter *to, const struct allowed *c)
{
	struct sock_filter *at = to;
	unsigned left = 1; /* to skip, with the return */
	for (int i = 0; i < TESTS; i++)
		left += !c->test[i].mask ? 0 : c->test[i].mask == ALL ? 2 : 3;
	*at++ = LOAD(offsetof(struct seccomp_data, nr));
	*at++ = UNLESS(BPF_JEQ, c->number, left);
	for (int i = 0; i < TESTS && c->test[i].mask; i++) {
		uint32_t value = c->test[i].value == OWN_PID ? (uint32_t)SYS0(__NR_getpid) : (uint32_t)c->test[i].value;
		*at++ = LOAD(offsetof(struct seccomp_data, args) + 8 * c->test[i].argument);
		if (c->test[i].mask != ALL)
			*at++ = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, c->test[i].mask);
		left -= c->test[i].mask == ALL ? 2 : 3;
		*at++ = UNLESS(BPF_JEQ, value, left);
	}
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return at - to;
}

/* The kernel gives the address behind the system call instruction. The blob's text doesn't cross 4 GB: zones are aligned to more than its size. */
static unsigned put_before(struct sock_filter *to)
{
	extern const uint8_t own_calls_start[] __attribute__((visibility("hidden"))), guest_text_end[] __attribute__((visibility("hidden")));
	uint64_t start = (uint64_t)own_calls_start, end = (uint64_t)guest_text_end;
	unsigned count = HEAD;
	for (unsigned i = 0; i < CALLS; i++)
		count += put_call(to + count, &calls[i]);
	to[0] = LOAD(offsetof(struct seccomp_data, instruction_pointer) + 4);
	to[1] = UNLESS(BPF_JEQ, start >> 32, count - 2);
	to[2] = LOAD(offsetof(struct seccomp_data, instruction_pointer));
	to[3] = UNLESS(BPF_JGE, (uint32_t)start, count - 4);
	to[4] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)end, count - 5, 0);
	to[5] = LOAD(offsetof(struct seccomp_data, arch));
	to[6] = UNLESS(BPF_JEQ, AUDIT_ARCH_X86_64, count - 7);
	to[7] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, 0);
	to[count] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, 0);
	return count + 1;
}

struct program {
	uint16_t length;
	uint64_t instructions;
};

/* False: the kernel will say what is wrong. So it will of a filter that is longer with our instructions than it takes. */
static bool read_program(uint64_t from, struct program *p)
{
	uint64_t length;
	if (!read_word(from, 2, &length) || !read_word(from + 8, 8, &p->instructions))
		return false;
	p->length = length;
	return p->length && p->length <= LENGTH_MAX - BEFORE_MAX;
}

static bool read_instructions(const struct program *p, uint64_t *to)
{
	for (unsigned i = 0; i < p->length; i++)
		if (!read_word(p->instructions + 8 * i, 8, &to[i]))
			return false;
	return true;
}

static bool install(struct probe_frame *f, int number)
{
	enum { READ_WRITE = 3, PRIVATE_ANONYMOUS = 0x22, SIZE = LENGTH_MAX * sizeof(struct sock_filter) };
	struct program p;
	if (!read_program(f->r[REG_RDX], &p))
		return false;
	struct sock_filter *made = (struct sock_filter *)SYS6(__NR_mmap, 0, SIZE, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0);
	if ((uint64_t)made > -4096ul)
		return false;
	unsigned before = put_before(made);
	bool readable = read_instructions(&p, (uint64_t *)(made + before));
	if (readable) {
		struct sock_fprog all = {before + p.length, made};
		uint8_t filtered = guest_signals.filtered;
		guest_signals.filtered = 1; /* before the first signal can come */
		f->r[REG_RAX] = program_call(number, f->r[REG_RDI], f->r[REG_RSI], (uint64_t)&all, f->r[REG_R10]);
		if (f->r[REG_RAX] && !filtered)
			guest_signals.filtered = 0;
	}
	SYS2(__NR_munmap, made, SIZE);
	return readable;
}

static bool go_strict(struct probe_frame *f, int number)
{
	thread_goes_strict(true);
	f->r[REG_RAX] = program_call(number, f->r[REG_RDI], f->r[REG_RSI], f->r[REG_RDX], f->r[REG_R10]);
	if (f->r[REG_RAX])
		thread_goes_strict(false);
	return true;
}

bool program_seccomp(struct probe_frame *f, int number)
{
	int mode = (int)f->r[REG_RDI] + 1; /* seccomp's operations are prctl's modes less one */
	if (number == __NR_prctl)
		mode = (int)f->r[REG_RDI] == PR_SET_SECCOMP ? (int)f->r[REG_RSI] : 0;
	if ((mode == MODE_STRICT || mode == MODE_FILTER) && !guest_signals.filtered)
		fetch_all_text(); /* the filter won't let it through any more */
	return mode == MODE_STRICT ? go_strict(f, number) : mode == MODE_FILTER && install(f, number);
}
