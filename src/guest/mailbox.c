/* Synchronous events: claim a slot, fill it, ring the supervisor's bell, wait for the reply: spinning a little first (a round trip is then about
 * 2 us), then in the kernel. A supervisor that has gone is noticed by its pid, and the guest goes on without it; where that would be its
 * death, it gives another supervisor a moment to turn up. */
#include "guest/calls.h"
#include "guest/signals.h"

enum { ESRCH_ = 3 };

enum answer {
	ANSWERED,
	NO_ANSWER,
	SWEPT, /* another supervisor has put fresh memory in the mailbox's place */
};
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
	if (guest_signals.filtered) /* which may forbid to ask */
		return false;
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

void ring_bell(void)
{
	__atomic_add_fetch(&guest_bell.rings, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&guest_bell.sleeping, __ATOMIC_SEQ_CST))
		SYS3(__NR_futex, &guest_bell.rings, FUTEX_WAKE_, 1);
}

static enum answer look(struct guest_slot *s, uint32_t tid, uint32_t *state)
{
	*state = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
	if (*state == SLOT_FREE || *state == SLOT_CLAIMED || __atomic_load_n(&s->tid, __ATOMIC_RELAXED) != tid)
		return SWEPT;
	return *state == SLOT_REPLIED ? ANSWERED : NO_ANSWER;
}

static enum answer await_reply(struct guest_slot *s, uint32_t tid, int rounds)
{
	uint32_t state;
	enum answer a;
	for (int i = 0; i < SPINS; i++) {
		if ((a = look(s, tid, &state)) != NO_ANSWER)
			return a;
		__builtin_ia32_pause();
	}
	for (int lost = 0; lost < rounds;) {
		if ((a = look(s, tid, &state)) != NO_ANSWER)
			return a;
		uint64_t timeout[2] = {0, ROUND_NS};
		SYS4(__NR_futex, &s->state, FUTEX_WAIT_, state, timeout);
		if (supervisor_lives() && !supervisor_is_zombie())
			lost = 0;
		else
			lost++; /* a new one may have it in hand: look once more */
	}
	return look(s, tid, &state);
}

static enum answer post(struct guest_slot *s, enum guest_event_kind kind, const uint64_t arg[4], uint64_t reply[2], int rounds)
{
	uint32_t tid = SYS0(__NR_gettid);
	s->kind = kind;
	s->pid = SYS0(__NR_getpid);
	s->tid = tid;
	for (int i = 0; i < 4; i++)
		s->arg[i] = arg[i];
	s->reply[0] = s->reply[1] = 0;
	__atomic_store_n(&s->state, SLOT_POSTED, __ATOMIC_RELEASE);
	ring_bell();
	enum answer a = await_reply(s, tid, rounds);
	if (a == ANSWERED) {
		reply[0] = s->reply[0];
		reply[1] = s->reply[1];
	}
	if (a == SWEPT)
		return a;
	s->pid = 0; /* whoever claims it next is nobody until it says so */
	__atomic_store_n(&s->state, SLOT_FREE, __ATOMIC_RELEASE);
	return a;
}

static bool post_undisturbed(enum guest_event_kind kind, const uint64_t arg[4], uint64_t reply[2], bool deadly)
{
	enum answer a = SWEPT;
	reply[0] = reply[1] = 0;
	while (a == SWEPT) {
		if (may_call_nothing())
			return false;
		struct guest_slot *s = deadly || supervisor_lives() ? claim_slot() : NULL;
		if (!s)
			return false;
		a = post(s, kind, arg, reply, deadly ? ROUNDS_DEADLY : ROUNDS);
	}
	return a == ANSWERED;
}

/* A handler must not jump out of the wait and leave the slot behind. In our own handlers signals are blocked already. */
bool post_event(enum guest_event_kind kind, const uint64_t arg[4], uint64_t reply[2])
{
	if (kind == EVENT_FAULT || kind == EVENT_FETCH || kind == EVENT_LANDING || kind == EVENT_RETURN || kind == EVENT_TRANSFER || kind == EVENT_WRITE)
		return post_undisturbed(kind, arg, reply, true);
	uint64_t all = ~FAULT_SIGNALS, before;
	SYS4(__NR_rt_sigprocmask, 0 /* SIG_BLOCK */, &all, &before, 8);
	bool answered = post_undisturbed(kind, arg, reply, false);
	SYS4(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &before, NULL, 8);
	return answered;
}
