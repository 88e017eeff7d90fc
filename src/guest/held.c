/* Signals that were sent while their receiver believed them blocked. As in the kernel, a second one of a kind is dropped while the first is pending. */
#include "guest/signals.h"

enum { SI_TKILL_ = -6 };

static bool is_for(const struct held_signal *h, uint32_t tid)
{
	return h->state == HELD && (!h->tid || h->tid == tid);
}

bool held_any(void)
{
	for (int i = 0; i < HELD_MAX; i++)
		if (guest_process.held[i].state)
			return true;
	return false;
}

uint64_t held_signals(uint32_t tid)
{
	uint64_t set = 0;
	for (int i = 0; i < HELD_MAX; i++)
		if (is_for(&guest_process.held[i], tid))
			set |= SIGNAL_BIT(guest_process.held[i].info.signo);
	return set;
}

void held_add(uint32_t tid, const struct guest_siginfo *info)
{
	uint32_t whose = info->code == SI_TKILL_ ? tid : 0;
	for (int i = 0; i < HELD_MAX; i++) {
		const struct held_signal *h = &guest_process.held[i];
		if (h->state == HELD && h->tid == whose && h->info.signo == info->signo)
			return;
	}
	for (int i = 0; i < HELD_MAX; i++) {
		struct held_signal *h = &guest_process.held[i];
		uint32_t unused = HELD_UNUSED;
		if (!__atomic_compare_exchange_n(&h->state, &unused, HELD_TAKING, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		h->tid = whose;
		copy_memory(&h->info, info, sizeof *info);
		__atomic_store_n(&h->state, HELD, __ATOMIC_RELEASE);
		return;
	}
}

static struct held_signal *lowest(uint32_t tid, uint64_t set)
{
	struct held_signal *found = NULL;
	for (int i = 0; i < HELD_MAX; i++) {
		struct held_signal *h = &guest_process.held[i];
		if (is_for(h, tid) && set & SIGNAL_BIT(h->info.signo) && (!found || h->info.signo < found->info.signo))
			found = h;
	}
	return found;
}

int held_take(uint32_t tid, uint64_t set, struct guest_siginfo *info)
{
	struct held_signal *h;
	while ((h = lowest(tid, set))) {
		uint32_t held = HELD;
		if (!__atomic_compare_exchange_n(&h->state, &held, HELD_TAKING, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		copy_memory(info, &h->info, sizeof *info);
		__atomic_store_n(&h->state, HELD_UNUSED, __ATOMIC_RELEASE);
		return info->signo;
	}
	return 0;
}

uint64_t held_release(uint32_t tid, uint64_t set)
{
	uint64_t sent = held_signals(tid) & set;
	if (!sent)
		return 0;
	real_mask(MASK_BLOCK, sent, NULL);
	for (int i = 0; i < HELD_MAX; i++) {
		struct held_signal *h = &guest_process.held[i];
		uint32_t held = HELD;
		if (!is_for(h, tid) || !(set & SIGNAL_BIT(h->info.signo)) ||
		    !__atomic_compare_exchange_n(&h->state, &held, HELD_TAKING, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		h->tid = tid;
		__atomic_store_n(&h->state, HELD_RELEASED, __ATOMIC_RELEASE);
		SYS3(__NR_tgkill, SYS0(__NR_getpid), tid, h->info.signo);
	}
	return sent;
}

void held_arrived(uint32_t tid, struct guest_siginfo *info)
{
	for (int i = 0; i < HELD_MAX && info->code == SI_TKILL_; i++) {
		struct held_signal *h = &guest_process.held[i];
		if (h->state != HELD_RELEASED || h->tid != tid || h->info.signo != info->signo)
			continue;
		copy_memory(info, &h->info, sizeof *info);
		__atomic_store_n(&h->state, HELD_UNUSED, __ATOMIC_RELEASE);
		return;
	}
}

void held_forget(int signal)
{
	for (int i = 0; i < HELD_MAX; i++)
		if (guest_process.held[i].state == HELD && guest_process.held[i].info.signo == signal)
			guest_process.held[i].state = HELD_UNUSED;
}
