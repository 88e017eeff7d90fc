/* What the program sees of signal actions and masks, when ClearView owns some signals and keeps those that faults and landings raise from ever being blocked
 * (a blocked one would kill). The program reads back what it set. */
#include "guest/calls.h"
#include "guest/signals.h"

enum { EFAULT_ = 14 };

static bool read_words(void *to, uint64_t from, unsigned words)
{
	for (unsigned i = 0; i < words; i++)
		if (!read_word(from + 8 * i, 8, (uint64_t *)to + i))
			return false;
	return true;
}

static bool write_words(uint64_t to, const void *from, unsigned words)
{
	for (unsigned i = 0; i < words; i++)
		if (!write_word(to + 8 * i, 8, ((const uint64_t *)from)[i]))
			return false;
	return true;
}

/* Interrupted waits go on or not as the program's action says, which is for the kernel to know. */
void set_own_action(int signal)
{
	const struct guest_action *a = &guest_private.action[signal];
	struct guest_action own = {(uint64_t)entry_signal, OWN_FLAGS, (uint64_t)entry_restorer, ~FAULT_SIGNALS};
	if (a->handler <= 1 || a->flags & SA_RESTART_)
		own.flags |= SA_RESTART_;
	SYS4(__NR_rt_sigaction, signal, &own, NULL, 8);
}

static long owned_action(int signal, uint64_t new_at, uint64_t old_at)
{
	struct guest_action old = guest_private.action[signal], new;
	if (new_at && !read_words(&new, new_at, 4))
		return -EFAULT_;
	if (new_at && !in_vforked_child()) { /* such a child resets what its exec will reset anyway */
		guest_private.action[signal] = new;
		if (new.handler == 1)
			held_forget(signal);
		set_own_action(signal);
	}
	return old_at && !write_words(old_at, &old, 4) ? -EFAULT_ : 0;
}

static void set_bit(uint64_t *set, int signal, bool is)
{
	if (is)
		__atomic_or_fetch(set, SIGNAL_BIT(signal), __ATOMIC_RELAXED);
	else
		__atomic_and_fetch(set, ~SIGNAL_BIT(signal), __ATOMIC_RELAXED);
}

/* Handlers are entered through the blob. A vforked child's go in directly: the records are its parent's, and it has its own in the kernel. */
static void record_other(int signal, struct guest_action *new)
{
	uint64_t hidden = new->mask & FAULT_SIGNALS;
	new->mask &= ~FAULT_SIGNALS;
	if (in_vforked_child())
		return;
	guest_private.hidden_mask[signal] = hidden;
	set_bit(&guest_signals.on_stack, signal, new->flags & SA_ONSTACK_);
	set_bit(&guest_signals.plain_handlers, signal, new->handler > 1 && !(new->flags & SA_ONSTACK_));
	if (!guest_signals.own_stacks)
		new->flags &= ~(uint64_t)SA_ONSTACK_;
	if (new->handler > 1) {
		__atomic_store_n(&guest_signals.handler[signal], new->handler, __ATOMIC_RELEASE);
		new->handler = (uint64_t)entry_handler;
	}
}

static long other_action(int signal, uint64_t new_at, uint64_t old_at)
{
	struct guest_action new = {0}, old;
	uint64_t old_handler = guest_signals.handler[signal], old_hidden = guest_private.hidden_mask[signal];
	bool on_stack = guest_signals.on_stack & SIGNAL_BIT(signal);
	if (new_at && !read_words(&new, new_at, 4))
		return -EFAULT_;
	if (new_at)
		record_other(signal, &new);
	long status = SYS4(__NR_rt_sigaction, signal, new_at ? &new : NULL, &old, 8);
	if (status) {
		guest_signals.handler[signal] = old_handler;
		guest_private.hidden_mask[signal] = old_hidden;
		return status;
	}
	if (old.handler == (uint64_t)entry_handler)
		old.handler = old_handler;
	old.mask |= old_hidden;
	if (on_stack)
		old.flags |= SA_ONSTACK_;
	return old_at && !write_words(old_at, &old, 4) ? -EFAULT_ : 0;
}

bool program_sigaction(struct probe_frame *f)
{
	int signal = f->r[REG_RDI];
	uint64_t new_at = f->r[REG_RSI], old_at = f->r[REG_RDX];
	if (f->r[REG_R10] != 8 || signal < 1 || signal > 64 || !program_may_call(__NR_rt_sigaction, signal, 8))
		return false; /* the kernel says what is wrong */
	f->r[REG_RAX] = OWNED_SIGNALS & SIGNAL_BIT(signal) ? owned_action(signal, new_at, old_at) : other_action(signal, new_at, old_at);
	return true;
}

static uint64_t changed_mask(uint64_t mask, int how, uint64_t set)
{
	return how == MASK_BLOCK ? mask | set : how == MASK_UNBLOCK ? mask & ~set : set;
}

/* The new mask is set by entry.S when everything else is done: signals that were waiting for it interrupt the program, not us. */
bool program_sigprocmask(struct probe_frame *f, bool *sets_mask)
{
	int how = f->r[REG_RDI];
	uint64_t set_at = f->r[REG_RSI], old_at = f->r[REG_RDX], set = 0, old;
	if (f->r[REG_R10] != 8 || (set_at && (how < MASK_BLOCK || how > MASK_SET)) || !program_may_call(__NR_rt_sigprocmask, how, 8))
		return false;
	if (set_at && !read_words(&set, set_at, 1)) {
		f->r[REG_RAX] = -EFAULT_;
		return true;
	}
	uint32_t tid = own_tid();
	struct thread_signals *t = thread_signals(tid, false);
	uint64_t believed = t ? t->believed : 0;
	SYS4(__NR_rt_sigprocmask, MASK_BLOCK, NULL, &old, 8);
	uint64_t shown = (old & ~FAULT_SIGNALS) | believed;
	if (set_at) {
		f->id = changed_mask(old, how, set) & ~FAULT_SIGNALS;
		*sets_mask = true;
		believed = changed_mask(believed, how, set) & FAULT_SIGNALS;
		if (t || believed)
			thread_set_believed(tid, believed);
		held_release(tid, FAULT_SIGNALS & ~believed);
	}
	f->r[REG_RAX] = old_at && !write_words(old_at, &shown, 1) ? -EFAULT_ : 0;
	return true;
}
