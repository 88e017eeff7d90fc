/* Synchronous events: claim a slot, fill it, ring the supervisor's bell, wait for the reply: spinning a little first (a round trip is then about
 * 2 us), then in the kernel. A supervisor that has gone is noticed by its pid, and the guest goes on without it; where that would be its
 * death, it gives another supervisor a moment to turn up. */
#include "guest/guest_internal.h"

enum { ESRCH_ = 3 };
enum { SPINS = 4000, FUTEX_WAIT_ = 0, FUTEX_WAKE_ = 1, ROUND_NS = 50000000, ROUNDS = 2, ROUNDS_DEADLY = 30 };

bool supervisor_lives(void)
{
	int32_t pid = __atomic_load_n(&guest_tables.supervisor, __ATOMIC_ACQUIRE);
	return pid && SYS2(__NR_kill, pid, 0) != -ESRCH_;
}

/* Killed, but nobody has fetched its status: it has a pid and no memory. */
static bool supervisor_is_zombie(void)
{
	uint8_t byte;
	struct { void *base; uint64_t size; } here = {&byte, 1}, there = {NULL, 1};
	return SYS6(__NR_process_vm_readv, guest_tables.supervisor, &here, 1, &there, 1, 0) == -ESRCH_;
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

static bool await_reply(struct guest_slot *s, int rounds)
{
	for (int i = 0; i < SPINS; i++) {
		if (__atomic_load_n(&s->state, __ATOMIC_ACQUIRE) == SLOT_REPLIED)
			return true;
		__builtin_ia32_pause();
	}
	for (int lost = 0; lost < rounds;) {
		uint32_t state = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
		if (state == SLOT_REPLIED)
			return true;
		uint64_t timeout[2] = {0, ROUND_NS};
		SYS4(__NR_futex, &s->state, FUTEX_WAIT_, state, timeout);
		if (supervisor_lives() && !supervisor_is_zombie())
			lost = 0;
		else
			lost++; /* a new one may have it in hand: look once more */
	}
	return __atomic_load_n(&s->state, __ATOMIC_ACQUIRE) == SLOT_REPLIED;
}

bool post_event(enum guest_event_kind kind, const uint64_t arg[4], uint64_t reply[2])
{
	bool deadly = kind == EVENT_FAULT || kind == EVENT_LANDING;
	struct guest_slot *s = deadly || supervisor_lives() ? claim_slot() : NULL;
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
	bool answered = await_reply(s, deadly ? ROUNDS_DEADLY : ROUNDS);
	if (answered) {
		reply[0] = s->reply[0];
		reply[1] = s->reply[1];
	}
	__atomic_store_n(&s->state, SLOT_FREE, __ATOMIC_RELEASE);
	return answered;
}
