/* signalfd for the FAULT_SIGNALS. They are never really blocked, so the kernel has none pending that a descriptor could tell of, and one that is held wakes nobody.
 * From the first such descriptor on, the system calls that may wait for it are woven: as long as a thread is in one of them, what it believes to have blocked is
 * really blocked (no code of the program's runs there: a handler undoes it first), and copies of the held signals are pending. What of them is gone afterwards,
 * a descriptor has taken. One that arrives at another thread meanwhile is copied to those that wait. */
#include "guest/signals.h"

static void send_copy(uint32_t tid, const struct guest_siginfo *info)
{
	struct guest_siginfo copy = *info;
	SYS4(__NR_rt_tgsigqueueinfo, SYS0(__NR_getpid), tid, copy.signo, &copy);
}

void program_signalfd(const struct probe_frame *f)
{
	uint64_t mask, reply[2];
	if (f->r[REG_RDX] != 8 || !read_word(f->r[REG_RSI], 8, &mask) || !(mask & FAULT_SIGNALS))
		return;
	if (!__atomic_fetch_or(&guest_signals.descriptors, mask & FAULT_SIGNALS, __ATOMIC_ACQ_REL))
		post_event(EVENT_SIGNALFD, (uint64_t[4]){0}, reply);
}

void descriptors_wait(struct thread_signals *t, uint64_t mask)
{
	uint64_t set = mask & guest_signals.descriptors;
	if (!set)
		return;
	real_mask(MASK_BLOCK, set, NULL);
	__atomic_store_n(&t->offered, held_signals(t->tid) & set, __ATOMIC_RELEASE);
	__atomic_store_n(&t->waiting, WAITING_RELEASED, __ATOMIC_RELEASE);
	for (int i = 0; i < HELD_MAX; i++) {
		const struct held_signal *h = &guest_process.held[i];
		if (h->state == HELD && (!h->tid || h->tid == t->tid) && t->offered & SIGNAL_BIT(h->info.signo))
			send_copy(t->tid, &h->info);
	}
}

void descriptors_waited(struct thread_signals *t)
{
	uint64_t offered = __atomic_exchange_n(&t->offered, 0, __ATOMIC_ACQ_REL);
	for (int s = 1; offered && s <= 64; s++) {
		struct guest_siginfo info;
		uint64_t one = SIGNAL_BIT(s), now[2] = {0};
		if (offered & one && SYS4(__NR_rt_sigtimedwait, &one, &info, now, 8) != s)
			held_take(t->tid, one, &info);
	}
}

/* The waiting thread is told before it gets the copy: should its wait end in between, the copy arrives, and is held again. */
void descriptors_forward(uint32_t tid, const struct guest_siginfo *info)
{
	enum { SI_TKILL_ = -6 };
	uint64_t one = SIGNAL_BIT(info->signo);
	for (int i = 0; guest_signals.descriptors & one && info->code != SI_TKILL_ && i < SIGNAL_THREADS; i++) {
		struct thread_signals *t = &guest_threads[i];
		if (!t->tid || t->tid == tid || t->waiting != WAITING_RELEASED || !(t->wait_mask & one))
			continue;
		__atomic_or_fetch(&t->offered, one, __ATOMIC_ACQ_REL);
		send_copy(t->tid, info);
	}
}
