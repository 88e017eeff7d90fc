/* Which signals each thread believes to have blocked. Few threads ever block any; the table is a hash by thread id, and only a thread itself touches its
 * entry. */
#include "guest/signals.h"

enum { WINDOW = 16 };

bool thread_has_ended(uint32_t tid)
{
	return SYS3(__NR_tgkill, SYS0(__NR_getpid), tid, 0) == -3 /* ESRCH */;
}

static struct thread_signals *entry_at(uint32_t tid, unsigned i)
{
	return &guest_threads[(tid + i) % SIGNAL_THREADS];
}

static struct thread_signals *take(uint32_t tid, struct thread_signals *t, uint32_t former)
{
	if (!__atomic_compare_exchange_n(&t->tid, &former, tid, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return NULL;
	if (!former)
		__atomic_add_fetch(&guest_signals.threads_used, 1, __ATOMIC_RELAXED);
	t->waiting = WAITING_NOT;
	t->believed = t->wait_mask = t->fork_sp = 0;
	return t;
}

static void give_back(struct thread_signals *t)
{
	__atomic_store_n(&t->tid, 0, __ATOMIC_RELEASE);
	__atomic_sub_fetch(&guest_signals.threads_used, 1, __ATOMIC_RELAXED);
}

bool all_is_deliverable(void)
{
	return !__atomic_load_n(&guest_signals.threads_used, __ATOMIC_ACQUIRE) && !held_any();
}

struct thread_signals *thread_signals(uint32_t tid, bool make)
{
	struct thread_signals *t;
	for (unsigned i = 0; i < WINDOW; i++)
		if (entry_at(tid, i)->tid == tid)
			return entry_at(tid, i);
	for (unsigned i = 0; make && i < WINDOW; i++)
		if (!entry_at(tid, i)->tid && (t = take(tid, entry_at(tid, i), 0)))
			return t;
	for (unsigned i = 0; make && i < WINDOW; i++) {
		uint32_t former = entry_at(tid, i)->tid;
		if (thread_has_ended(former) && (t = take(tid, entry_at(tid, i), former)))
			return t;
	}
	return NULL;
}

void thread_set_believed(uint32_t tid, uint64_t believed)
{
	struct thread_signals *t = thread_signals(tid, believed != 0);
	if (!t)
		return;
	t->believed = believed;
	t->waiting = WAITING_NOT;
	if (!believed)
		give_back(t);
}

bool in_vforked_child(void)
{
	uint32_t pid = SYS0(__NR_getpid);
	if (!guest_process.pid)
		guest_process.pid = pid;
	return guest_process.pid != pid;
}

void threads_forking(uint64_t sp)
{
	struct thread_signals *t = thread_signals(own_tid(), false);
	if (t)
		t->fork_sp = sp;
}

/* In the child: what the forking thread believed. With memory of its own, it is the only thread. */
void threads_forked(uint64_t sp, bool own_memory)
{
	uint32_t tid = own_tid();
	uint64_t believed = 0;
	for (int i = 0; i < SIGNAL_THREADS; i++) {
		struct thread_signals *t = &guest_threads[i];
		if (t->tid && t->fork_sp == sp)
			believed = t->believed;
		if (t->tid && own_memory)
			give_back(t);
	}
	if (own_memory)
		altstack_forked(tid);
	in_vforked_child(); /* writes down whose memory this is now */
	thread_set_believed(tid, believed);
}
