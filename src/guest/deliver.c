/* Hands a signal that ClearView owns to the program's own handler, as the kernel would have: a second signal frame is built where the kernel would
 * have put it, and our own return from the handler enters the program's. The layout is the kernel's rt_sigframe:
 *
 *   high  extended state   (64-byte aligned, as long as its header says)
 *         siginfo
 *         ucontext         <- rt_sigreturn takes it from here
 *   low   restorer         <- rsp at the handler's entry, 8 modulo 16
 */
#include "guest/signals.h"

enum { SW_BYTES = 464, MAGIC = 0x46505853, LEGACY_STATE = 512, CONTEXT_SIZE = sizeof(struct context), RED_ZONE = 128 };

static uint64_t state_size(const uint8_t *state)
{
	uint32_t magic, size;
	if (!state)
		return 0;
	copy_memory(&magic, state + SW_BYTES, 4);
	copy_memory(&size, state + SW_BYTES + 4, 4);
	return magic == MAGIC && size < 65536 ? size : LEGACY_STATE;
}

/* Below this very handler, whose frame is still needed and stands where the kernel would have put the program's; unless this one runs on an alternate
 * stack that is ours, or that the program's handler doesn't want. */
static uint64_t frame_top(const struct guest_action *action, const struct context *c)
{
	uint64_t here = (uint64_t)__builtin_frame_address(0);
	bool on_alternate = !(c->stack.flags & SS_DISABLE_) && here - c->stack.sp < c->stack.size;
	bool interrupted_there = c->rsp - c->stack.sp < c->stack.size;
	if (on_alternate && !interrupted_there && (is_our_altstack(here) || !(action->flags & SA_ONSTACK_)))
		return c->rsp - RED_ZONE;
	return here - 1024;
}

static bool can_be_written(uint64_t start, uint64_t end)
{
	uint64_t word;
	for (uint64_t at = end - 8; at > start; at = at - start > 4096 ? at - 4096 : start)
		if (!read_word(at, 8, &word) || !write_word(at, 8, word))
			return false;
	return read_word(start, 8, &word) && write_word(start, 8, word);
}

/* The handler runs with its own signals blocked on top of those of the moment: the thread's, or those of the system call that waited. */
static void set_masks(int signal, const struct guest_action *action, struct context *c, struct context *copy)
{
	uint32_t tid = own_tid();
	struct thread_signals *t = thread_signals(tid, false);
	uint64_t believed = t ? t->believed : 0, mask = (c->mask & ~FAULT_SIGNALS) | believed;
	copy->mask = c->mask & ~FAULT_SIGNALS;
	if (returns_to_us(action->restorer))
		show_program_setting(copy, believed);
	else
		firewall_returns_unseen(copy);
	if (t && t->waiting)
		mask = t->wait_mask;
	mask |= action->mask | (action->flags & SA_NODEFER_ ? 0 : SIGNAL_BIT(signal));
	if (t || mask & FAULT_SIGNALS)
		thread_set_believed(tid, mask & FAULT_SIGNALS);
	c->mask = mask & ~FAULT_SIGNALS;
}

/* A faulting instruction's address is the original one, also in siginfo. */
static void show_program_siginfo(struct guest_siginfo *info, uint64_t real, uint64_t shown)
{
	if (info->code > 0 && info->address == real)
		info->address = shown;
}

bool deliver_to_program(int signal, const struct guest_siginfo *info, struct context *c)
{
	struct guest_action action = guest_private.action[signal];
	uint64_t size = state_size(c->fpstate), top = frame_top(&action, c);
	uint64_t state = (top - size) & ~63ul;
	uint64_t copy_info = (state - sizeof *info) & ~15ul;
	struct context *copy = (struct context *)((copy_info - CONTEXT_SIZE) & ~15ul);
	uint64_t *frame = (uint64_t *)copy - 1;
	if (!can_be_written((uint64_t)frame, top))
		return false;
	if (action.flags & (uint32_t)SA_RESETHAND_)
		guest_private.action[signal].handler = 0;
	copy_memory((void *)state, c->fpstate, size);
	copy_memory((void *)copy_info, info, sizeof *info);
	copy_memory(copy, c, CONTEXT_SIZE);
	if (size)
		copy->fpstate = (uint8_t *)state;
	*frame = action.restorer;
	show_program_addresses(copy);
	show_program_siginfo((struct guest_siginfo *)copy_info, c->rip, copy->rip);
	set_masks(signal, &action, c, copy);
	c->rip = action.handler;
	c->rsp = (uint64_t)frame;
	c->rdi = signal;
	c->rsi = copy_info;
	c->rdx = (uint64_t)copy;
	c->rax = 0;
	c->rflags &= ~0x10500ul; /* direction, trap, resume */
	return true;
}
