/* What the program sees of signal actions and masks, when ClearView owns some signals and keeps those that faults and landings raise from ever being blocked
 * (a blocked one would kill). The program reads back what it set. */
#include "guest/guest_internal.h"

enum { EFAULT_ = 14, EINVAL_ = 22, BLOCK = 0, UNBLOCK = 1, SETMASK = 2 };

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

static long owned_action(int signal, uint64_t new_at, uint64_t old_at)
{
	struct guest_action old = guest_private.action[signal], new;
	if (new_at && !read_words(&new, new_at, 4))
		return -EFAULT_;
	if (new_at)
		guest_private.action[signal] = new;
	return old_at && !write_words(old_at, &old, 4) ? -EFAULT_ : 0;
}

static long other_action(int signal, uint64_t new_at, uint64_t old_at)
{
	struct guest_action new = {0}, old;
	if (new_at && !read_words(&new, new_at, 4))
		return -EFAULT_;
	uint64_t hidden = new_at ? new.mask & FAULT_SIGNALS : 0;
	new.mask &= ~FAULT_SIGNALS;
	long status = SYS4(__NR_rt_sigaction, signal, new_at ? &new : NULL, &old, 8);
	if (status)
		return status;
	old.mask |= guest_private.hidden_mask[signal];
	if (new_at)
		guest_private.hidden_mask[signal] = hidden;
	return old_at && !write_words(old_at, &old, 4) ? -EFAULT_ : 0;
}

bool program_sigaction(struct probe_frame *f)
{
	int signal = f->r[REG_RDI];
	uint64_t new_at = f->r[REG_RSI], old_at = f->r[REG_RDX];
	if (f->r[REG_R10] != 8 || signal < 1 || signal > 64)
		return false; /* the kernel says what is wrong */
	f->r[REG_RAX] = OWNED_SIGNALS & SIGNAL_BIT(signal) ? owned_action(signal, new_at, old_at) : other_action(signal, new_at, old_at);
	return true;
}

/* The signals that thread believes to have blocked. Few threads ever do; the table is a hash by tid and forgets when it is full. */
static uint64_t *hidden_of(uint32_t tid, bool make)
{
	for (unsigned i = 0; i < 8; i++) {
		unsigned at = (tid + i) % GUEST_HIDDEN_MASKS;
		uint32_t none = 0;
		if (guest_private.blocked[at].tid == tid)
			return &guest_private.blocked[at].mask;
		if (make && __atomic_compare_exchange_n(&guest_private.blocked[at].tid, &none, tid, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return &guest_private.blocked[at].mask;
	}
	return NULL;
}

static uint64_t changed_mask(uint64_t mask, int how, uint64_t set)
{
	return how == BLOCK ? mask | set : how == UNBLOCK ? mask & ~set : set;
}

bool program_sigprocmask(struct probe_frame *f)
{
	int how = f->r[REG_RDI];
	uint64_t set_at = f->r[REG_RSI], old_at = f->r[REG_RDX], set = 0, old = 0;
	if (f->r[REG_R10] != 8 || (set_at && (how < BLOCK || how > SETMASK)))
		return false;
	if (set_at && !read_words(&set, set_at, 1)) {
		f->r[REG_RAX] = -EFAULT_;
		return true;
	}
	uint32_t tid = SYS0(__NR_gettid);
	uint64_t *slot = hidden_of(tid, set_at && how != UNBLOCK && set & FAULT_SIGNALS), hidden = slot ? *slot : 0;
	uint64_t asked = set & ~FAULT_SIGNALS;
	long status = SYS4(__NR_rt_sigprocmask, how, set_at ? &asked : NULL, &old, 8);
	old |= hidden;
	if (!status && slot && set_at)
		*slot = changed_mask(hidden, how, set & FAULT_SIGNALS);
	if (!status && old_at && !write_words(old_at, &old, 1))
		status = -EFAULT_;
	f->r[REG_RAX] = status;
	return true;
}
