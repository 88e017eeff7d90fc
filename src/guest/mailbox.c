/* Synchronous events: claim a slot, fill it, ring the supervisor's bell, wait for the reply: spinning a little first (a round trip is then about
 * 2 us), then in the kernel. A supervisor that has gone is noticed by its pid, and the guest goes on without it. */
#include "guest/guest_internal.h"

enum { SPINS = 4000, FUTEX_WAIT_ = 0, FUTEX_WAKE_ = 1, LOST_AFTER = 200 };

static bool supervisor_lives(void)
{
	int32_t pid = guest_tables.supervisor;
	return pid && SYS2(__NR_kill, pid, 0) != -3 /* ESRCH */;
}

static struct guest_slot *claim_slot(void)
{
	for (int round = 0; round < 1000; round++) {
		for (int i = 0; i < GUEST_SLOTS; i++) {
			uint32_t free = SLOT_FREE;
			if (__atomic_compare_exchange_n(&guest_shared.slot[i].state, &free, SLOT_CLAIMED, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
				return &guest_shared.slot[i];
		}
		SYS0(__NR_sched_yield);
	}
	return NULL;
}

static void ring_bell(void)
{
	__atomic_add_fetch(&guest_bell.rings, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&guest_bell.sleeping, __ATOMIC_SEQ_CST))
		SYS3(__NR_futex, &guest_bell.rings, FUTEX_WAKE_, 1);
}

static bool await_reply(struct guest_slot *s)
{
	for (int i = 0; i < SPINS; i++) {
		if (__atomic_load_n(&s->state, __ATOMIC_ACQUIRE) == SLOT_REPLIED)
			return true;
		__builtin_ia32_pause();
	}
	for (int lost = 0; lost < LOST_AFTER;) {
		uint32_t state = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
		if (state == SLOT_REPLIED)
			return true;
		uint64_t timeout[2] = {0, 50000000};
		SYS4(__NR_futex, &s->state, FUTEX_WAIT_, state, timeout);
		if (supervisor_lives())
			lost = 0;
		else
			lost += LOST_AFTER / 2; /* a new one may have it in hand: look once more */
	}
	return __atomic_load_n(&s->state, __ATOMIC_ACQUIRE) == SLOT_REPLIED;
}

bool post_event(enum guest_event_kind kind, const uint64_t arg[4], uint64_t reply[2])
{
	struct guest_slot *s = supervisor_lives() ? claim_slot() : NULL;
	reply[0] = reply[1] = 0;
	if (!s)
		return false;
	s->kind = kind;
	s->pid = SYS0(__NR_getpid);
	s->tid = SYS0(__NR_gettid);
	for (int i = 0; i < 4; i++)
		s->arg[i] = arg[i];
	s->reply[0] = s->reply[1] = 0;
	__atomic_store_n(&s->state, SLOT_POSTED, __ATOMIC_RELEASE);
	ring_bell();
	bool answered = await_reply(s);
	if (answered) {
		reply[0] = s->reply[0];
		reply[1] = s->reply[1];
	}
	__atomic_store_n(&s->state, SLOT_FREE, __ATOMIC_RELEASE);
	return answered;
}
