/* System calls that take pending signals, or wait with a mask of their own or for a descriptor of signals. The kernel does the waiting, in place, so that it is interrupted and restarted as
 * the program expects; held signals are given back to it first. */
#include "guest/calls.h"
#include "guest/signals.h"

enum { EFAULT_ = 14, SIGINFO_WORDS = sizeof(struct guest_siginfo) / 8 };

bool program_sigpending(struct probe_frame *f)
{
	uint64_t pending, size = f->r[REG_RSI];
	if (size > 8 || !program_may_call(__NR_rt_sigpending, 0, 0))
		return false;
	long status = SYS2(__NR_rt_sigpending, &pending, 8);
	pending |= held_signals(own_tid());
	for (unsigned i = 0; i < size && !status; i++)
		if (!write_word(f->r[REG_RDI] + i, 1, pending >> 8 * i))
			status = -EFAULT_;
	f->r[REG_RAX] = status;
	return true;
}

bool program_sigtimedwait(struct probe_frame *f)
{
	struct guest_siginfo info;
	uint64_t set, info_at = f->r[REG_RSI];
	uint32_t tid = own_tid();
	if (f->r[REG_R10] != 8 || !(held_signals(tid) & FAULT_SIGNALS) || !read_word(f->r[REG_RDI], 8, &set))
		return false;
	int signal = held_take(tid, set, &info);
	if (!signal)
		return false;
	f->r[REG_RAX] = signal;
	for (unsigned i = 0; info_at && i < SIGINFO_WORDS; i++)
		if (!write_word(info_at + 8 * i, 8, ((const uint64_t *)&info)[i]))
			f->r[REG_RAX] = -EFAULT_;
	return true;
}

/* Where the mask is; 0: none. */
static uint64_t mask_of(const struct probe_frame *f, int number)
{
	uint64_t at = 0;
	switch (number) {
	case __NR_rt_sigsuspend:
		return f->r[REG_RDI];
	case __NR_ppoll:
		return f->r[REG_R10];
	case __NR_pselect6:
		return f->r[REG_R9] && read_word(f->r[REG_R9], 8, &at) ? at : 0;
	case __NR_epoll_pwait:
	case __NR_epoll_pwait2:
		return f->r[REG_R8];
	default:
		return 0;
	}
}

void program_wait(struct probe_frame *f, int number)
{
	uint64_t mask, at = mask_of(f, number);
	uint32_t tid = own_tid();
	struct thread_signals *t;
	if (at) {
		if (!read_word(at, 8, &mask) || !(t = thread_signals(tid, mask & FAULT_SIGNALS)))
			return;
		t->wait_mask = mask;
		t->waiting = held_release(tid, FAULT_SIGNALS & ~mask) ? WAITING_RELEASED : WAITING;
	} else {
		if (!guest_signals.descriptors || !(t = thread_signals(tid, false)))
			return;
		SYS4(__NR_rt_sigprocmask, MASK_BLOCK, NULL, &mask, 8);
		t->wait_mask = mask = (mask & ~FAULT_SIGNALS) | t->believed;
	}
	descriptors_wait(t, mask);
}

/* No handler has ended the wait, or it has returned. */
void program_waited(void)
{
	uint32_t tid = own_tid();
	struct thread_signals *t = thread_signals(tid, false);
	if (!t)
		return;
	descriptors_waited(t);
	if (t->waiting == WAITING_RELEASED)
		real_mask(MASK_UNBLOCK, FAULT_SIGNALS, NULL);
	thread_set_believed(tid, t->believed);
}
