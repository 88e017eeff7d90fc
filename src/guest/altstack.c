/* Alternate signal stacks. A thread of the program's that has none gets one of ours, from a small pool, so that a stack that is used up ends in the crash monitor
 * and not in a silent kill, and so that signal frames don't overwrite what lies dead below the stack pointer. The program sees its own settings only:
 *
 *   its sigaltstack                    real setting
 *   none, or disabled                  ours
 *   a stack of its own                 that
 *
 * Its handlers run where they would natively: deliver.c moves frames off our stacks, and SA_ONSTACK is kept from the kernel until the program has set up a
 * stack anywhere. (After that, a handler with SA_ONSTACK in a thread without a stack of its own runs on ours.) */
#include "guest/calls.h"
#include "guest/signals.h"

enum { EFAULT_ = 14 };

static uint64_t stack_start(unsigned i)
{
	return (uint64_t)guest_stacks + i * ALTSTACK_SIZE;
}

bool is_our_altstack(uint64_t sp)
{
	return sp - (uint64_t)guest_stacks < (uint64_t)ALTSTACKS * ALTSTACK_SIZE;
}

static bool take(unsigned i, uint32_t tid, uint32_t former)
{
	return __atomic_compare_exchange_n(&guest_signals.stack_owner[i], &former, tid, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* The thread's stack; -1: all are taken. */
static int find_stack(uint32_t tid)
{
	unsigned first = tid % ALTSTACKS;
	for (unsigned i = 0; i < ALTSTACKS; i++) {
		unsigned at = (first + i) % ALTSTACKS;
		uint32_t owner = guest_signals.stack_owner[at];
		if (owner == tid || (!owner && take(at, tid, 0)) || (owner && thread_has_ended(owner) && take(at, tid, owner)))
			return at;
	}
	return -1;
}

static bool our_stack(uint32_t tid, struct signal_stack *s)
{
	int i = find_stack(tid);
	*s = i < 0 ? (struct signal_stack){.flags = SS_DISABLE_} : (struct signal_stack){.sp = stack_start(i), .size = ALTSTACK_SIZE};
	return i >= 0;
}

void altstack_give(void)
{
	struct signal_stack s;
	SYS2(__NR_sigaltstack, NULL, &s);
	if (s.flags & SS_DISABLE_ && our_stack(own_tid(), &s))
		SYS2(__NR_sigaltstack, &s, NULL);
}

/* In a child with memory of its own: the forking thread's stack is ours now, the others are free. */
void altstack_forked(uint32_t tid)
{
	struct signal_stack real;
	SYS2(__NR_sigaltstack, NULL, &real);
	for (unsigned i = 0; i < ALTSTACKS; i++)
		if (guest_signals.stack_owner[i])
			guest_signals.stack_owner[i] = real.sp == stack_start(i) ? tid : 0;
}

static bool read_setting(uint64_t at, struct signal_stack *s)
{
	uint64_t flags;
	bool ok = read_word(at, 8, &s->sp) && read_word(at + 8, 4, &flags) && read_word(at + 16, 8, &s->size);
	s->flags = flags;
	return ok;
}

static bool write_setting(uint64_t at, const struct signal_stack *s)
{
	bool ours = is_our_altstack(s->sp);
	return write_word(at, 8, ours ? 0 : s->sp) && write_word(at + 8, 4, ours ? SS_DISABLE_ : s->flags) && write_word(at + 16, 8, ours ? 0 : s->size);
}

/* From now on the kernel knows which handlers want an alternate stack. */
static void program_has_stacks(void)
{
	struct guest_action a;
	if (guest_signals.own_stacks)
		return;
	guest_signals.own_stacks = 1;
	for (int s = 1; s <= 64; s++) {
		if (!(guest_signals.on_stack & SIGNAL_BIT(s)) || SYS4(__NR_rt_sigaction, s, NULL, &a, 8) || a.handler != (uint64_t)entry_handler)
			continue;
		a.flags |= SA_ONSTACK_;
		SYS4(__NR_rt_sigaction, s, &a, NULL, 8);
	}
}

static long set_stack(const struct signal_stack *wanted)
{
	struct signal_stack s = *wanted;
	bool disable = s.flags & SS_DISABLE_;
	if (disable && s.flags == SS_DISABLE_)
		our_stack(own_tid(), &s);
	long status = SYS2(__NR_sigaltstack, &s, NULL);
	if (!status && !disable && !in_vforked_child())
		program_has_stacks();
	return status;
}

/* Natively a stack that isn't there any more does no harm until a handler wants it. But a landing would. */
void program_munmap(const struct probe_frame *f)
{
	struct signal_stack s;
	uint64_t start = f->r[REG_RDI], end = start + f->r[REG_RSI];
	if (!guest_signals.own_stacks)
		return;
	SYS2(__NR_sigaltstack, NULL, &s);
	if (s.flags & SS_DISABLE_ || is_our_altstack(s.sp) || s.sp >= end || s.sp + s.size <= start)
		return;
	our_stack(own_tid(), &s);
	SYS2(__NR_sigaltstack, &s, NULL);
}

bool program_sigaltstack(struct probe_frame *f)
{
	struct signal_stack new, old;
	if (!program_may_call(__NR_sigaltstack, 0, 0))
		return false;
	uint64_t new_at = f->r[REG_RDI], old_at = f->r[REG_RSI];
	long status = SYS2(__NR_sigaltstack, NULL, &old);
	uint64_t depth = f->r[REG_RSP] - old.sp;
	if (!(old.flags & SS_DISABLE_) && depth < old.size)
		old.flags |= SS_ONSTACK_;
	if (!status && new_at)
		status = read_setting(new_at, &new) ? set_stack(&new) : -EFAULT_;
	if (!status && old_at && !write_setting(old_at, &old))
		status = -EFAULT_;
	f->r[REG_RAX] = status;
	return true;
}
