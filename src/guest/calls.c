/* The blob's system calls in programs that restrict theirs.
 *
 * A filter that the program installs gets a few instructions in front (filter.c): what the blob needs is let through when it comes from the blob's text, between
 * own_calls_start and its end. What the blob does in the program's place, and program_call below, which lies in front of that, is judged as the program's.
 *
 * Strict mode knows no filters. There the blob makes no system call at all: landings are resolved as ever, handlers run, failures end as natively. */
#include "guest/calls.h"
#include "guest/signals.h"

enum { EPERM_ = 1, SIG_SYS = 31 };

extern const uint8_t program_call_end[] __attribute__((visibility("hidden")));

/* long program_call(number, a, b, c, d) */
__asm__(".section .program, \"ax\"\n.globl program_call, program_call_end\n"
	"program_call:\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	mov %rdx, %rsi\n"
	"	mov %rcx, %rdx\n"
	"	mov %r8, %r10\n"
	"	syscall\n"
	"program_call_end:\n"
	"	ret\n"
	"	.previous\n");

/* The thread pointer names a thread without a system call. Processors without this instruction have no thread in the table. */
static uint64_t thread_pointer(void)
{
	uint64_t base;
	__asm__("rdfsbase %0" : "=r"(base));
	return base;
}

static int strict_index(void)
{
	uint64_t base = thread_pointer();
	for (int i = 0; i < STRICT_MAX; i++)
		if (guest_signals.strict[i].tid && guest_signals.strict[i].base == base)
			return i;
	return -1;
}

bool may_call_nothing(void)
{
	return __builtin_expect(guest_signals.strict_count, 0) && strict_index() >= 0;
}

static long without_call(long number)
{
	const struct guest_strict *s = &guest_signals.strict[strict_index()];
	return number == __NR_gettid ? (long)s->tid : number == __NR_getpid ? (long)s->pid : -EPERM_;
}

long system_call(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	if (may_call_nothing())
		return without_call(number);
	return system_call_here(number, a, b, c, d, e, f);
}

void thread_goes_strict(bool does)
{
	uint32_t unused, tid, pid;
	int at = !does && guest_signals.strict_count ? strict_index() : -1;
	if (at >= 0) {
		__atomic_sub_fetch(&guest_signals.strict_count, 1, __ATOMIC_SEQ_CST);
		guest_signals.strict[at].tid = 0;
		__atomic_store_n(&guest_signals.strict[at].pid, 0, __ATOMIC_RELEASE);
	}
	if (!does)
		return;
	tid = SYS0(__NR_gettid);
	pid = SYS0(__NR_getpid);
	for (int i = 0; i < STRICT_MAX; i++) {
		unused = 0;
		if (!__atomic_compare_exchange_n(&guest_signals.strict[i].pid, &unused, pid, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		guest_signals.strict[i].base = thread_pointer();
		__atomic_add_fetch(&guest_signals.strict_count, 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&guest_signals.strict[i].tid, tid, __ATOMIC_RELEASE);
		return;
	}
}

/* Without effect: the arguments that filters look at, and no addresses. */
bool program_may_call(long number, uint64_t a, uint64_t d)
{
	uint64_t nowhere;
	if (!guest_signals.filtered)
		return true;
	return !program_call(number, number == __NR_rt_sigpending ? (uint64_t)&nowhere : a, number == __NR_rt_sigpending ? 8 : 0, 0, d);
}

bool was_asking(int signal, struct context *c)
{
	if (signal != SIG_SYS || c->rip != (uint64_t)program_call_end)
		return false;
	c->rax = -EPERM_;
	return true;
}
