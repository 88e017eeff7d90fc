/* What the program's handlers see: contexts with the program's own addresses and masks, whatever was interrupted. All handlers are entered through
 * entry_handler (or deliver.c), and return through a woven rt_sigreturn.
 *
 * A thread interrupted in a copy is shown at the original instruction. Half-way through a probe it is first moved, in effect, to an instruction's
 * boundary: back where the probe began (interrupted.c), or behind it. */
#include "guest/calls.h"
#include "guest/signals.h"

#define SHOWN_MAGIC  0x636c656172766965ull
#define AROUND_MAGIC 0x636c656172766966ull /* around.c */

enum { CALL_SIZE = 5, RELEASE_SIZE = 8, PROBE_SIZE = 15 };

extern const uint8_t probe_exit[], probe_exit_flags[], probe_exit_return[], probe_exit_end[];

static bool same(const uint8_t *a, const uint8_t *b, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static bool is_release(const uint8_t *at)
{
	static const uint8_t release[] = {0x48, 0x8d, 0xa4, 0x24, 136, 0, 0, 0};
	return same(at, release, sizeof release);
}

static uint64_t jump_target(uint64_t at)
{
	int32_t distance;
	copy_memory(&distance, (const uint8_t *)at + 1, 4);
	return at + CALL_SIZE + distance;
}

/* The last instructions of entry_probe: the program's registers are in the frame, or already back. */
static void finish_probe(struct context *c)
{
	const uint8_t *at = (const uint8_t *)c->rip;
	if (at < probe_exit || at >= probe_exit_end)
		return;
	const struct probe_frame *f = (const struct probe_frame *)(c->rsp - (at >= probe_exit_return ? 136 : at >= probe_exit_flags ? 128 : 0));
	uint64_t *const places[16] = {&c->rax, &c->rcx, &c->rdx, &c->rbx, NULL,    &c->rbp, &c->rsi, &c->rdi,
				      &c->r8,  &c->r9,  &c->r10, &c->r11, &c->r12, &c->r13, &c->r14, &c->r15};
	for (int i = 0; i < 16 && at < probe_exit_flags; i++)
		if (places[i])
			*places[i] = f->r[i];
	if (at < probe_exit_return)
		c->rflags = f->rflags;
	c->rip = f->resume;
	c->rsp = (uint64_t)&f->id;
}

/* Behind a probe's call: what is left has exactly the effect of going on behind it. */
static void leave_probe_code(struct context *c)
{
	const uint8_t *at = (const uint8_t *)c->rip;
	if (is_release(at) && (is_probe_code(at - PROBE_SIZE) || at[RELEASE_SIZE] == 0xe9)) {
		c->rsp += 136;
		c->rip += RELEASE_SIZE;
	}
}

/* A jump that isn't the program's. */
static void follow_jump(struct context *c)
{
	if (in_copies(c->rip) && *(const uint8_t *)c->rip == 0xe9)
		c->rip = jump_target(c->rip);
}

static uint64_t original_of(uint64_t code)
{
	uint64_t reply[2];
	unsigned at = (code ^ code >> 8) % SHOWN_MAX;
	if (guest_signals.shown[at].code == code) {
		uint64_t original = guest_signals.shown[at].original;
		if (guest_signals.shown[at].code == code)
			return original;
	}
	if (!post_event(EVENT_ORIGINAL, (uint64_t[]){code, 0, 0, 0}, reply) || !reply[0])
		return 0;
	guest_signals.shown[at].code = 0;
	__atomic_store_n(&guest_signals.shown[at].original, reply[0], __ATOMIC_RELEASE);
	__atomic_store_n(&guest_signals.shown[at].code, code, __ATOMIC_RELEASE);
	return reply[0];
}

static void show_addresses(struct context *c)
{
	c->reserved[SHOWN_ADDRESS] = c->reserved[SHOWN_STACK] = 0;
	finish_probe(c);
	bool around = false;
	leave_probe_entry(c);
	if (!restart_probe(c)) {
		if (in_copies(c->rip))
			leave_probe_code(c);
		follow_jump(c);
		around = show_around_blob(c);
		if (around && in_copies(c->rip))
			leave_probe_code(c);
	}
	follow_jump(c);
	uint64_t original = in_copies(c->rip) ? original_of(c->rip) : 0;
	if (!original && !around)
		return;
	if (!around && undo_call(c)) {
		c->rip = original;
		return;
	}
	if (!original)
		original = c->rip;
	c->reserved[SHOWN_ADDRESS] = around ? AROUND_MAGIC : SHOWN_MAGIC;
	c->reserved[REAL_ADDRESS] = c->rip;
	c->reserved[ORIGINAL] = original;
	c->rip = original;
}

void show_program_addresses(struct context *c)
{
	show_addresses(c);
	firewall_frame_made(c);
}

void show_program_setting(struct context *c, uint64_t believed)
{
	c->mask |= believed;
	if (!is_our_altstack(c->stack.sp))
		return;
	c->reserved[SHOWN_STACK] = SHOWN_MAGIC;
	c->reserved[REAL_STACK] = c->stack.sp;
	c->stack.sp = c->stack.size = 0;
	c->stack.flags = SS_DISABLE_;
}

static void restore_context(struct context *c)
{
	c->mask &= ~FAULT_SIGNALS;
	if (c->reserved[SHOWN_ADDRESS] == SHOWN_MAGIC && c->rip == c->reserved[ORIGINAL] && in_copies(c->reserved[REAL_ADDRESS]))
		c->rip = c->reserved[REAL_ADDRESS];
	if (c->reserved[SHOWN_ADDRESS] == AROUND_MAGIC && c->rip == c->reserved[ORIGINAL] &&
	    (in_blob(c->reserved[KEPT_ADDRESS]) || in_copies(c->reserved[KEPT_ADDRESS])))
		go_on_in_blob(c);
	if (c->reserved[SHOWN_STACK] == SHOWN_MAGIC && c->stack.flags == SS_DISABLE_ && is_our_altstack(c->reserved[REAL_STACK])) {
		c->stack.sp = c->reserved[REAL_STACK];
		c->stack.size = ALTSTACK_SIZE;
		c->stack.flags = 0;
	}
}

bool returns_to_us(uint64_t restorer)
{
	return landing_of(restorer) != 0;
}

/* What the thread believes when the handler starts; returns what it believed before. */
static uint64_t enter_masks(int signal)
{
	uint64_t hidden = guest_private.hidden_mask[signal];
	if (!hidden && all_is_deliverable())
		return 0;
	uint32_t tid = own_tid();
	struct thread_signals *t = thread_signals(tid, false);
	uint64_t before = t ? t->believed : 0, now = before;
	if (t && t->waiting) {
		now = t->wait_mask & FAULT_SIGNALS;
		real_mask(MASK_UNBLOCK, FAULT_SIGNALS, NULL);
	}
	if (t || hidden)
		thread_set_believed(tid, now | hidden);
	return before;
}

/* It tells where the system call was. */
static bool is_of_filter(int signal, const struct guest_siginfo *info)
{
	enum { SIG_SYS = 31, BY_FILTER = 1 };
	return signal == SIG_SYS && info->code == BY_FILTER;
}

/* Called by entry.S with what the kernel passed for a signal that ClearView doesn't own; returns the program's handler. */
__attribute__((used)) uint64_t enter_handler(int signal, struct guest_siginfo *info, struct context *c)
{
	uint64_t before, interrupted = c->rip;
	if (was_asking(signal, c))
		return 0;
	before = enter_masks(signal);
	show_program_addresses(c);
	if (is_of_filter(signal, info) && info->address == interrupted)
		info->address = c->rip;
	c->mask &= ~FAULT_SIGNALS;
	if (returns_to_us(((uint64_t *)c)[-1]))
		show_program_setting(c, before);
	else
		firewall_returns_unseen(c);
	return guest_signals.handler[signal];
}

/* The program's rt_sigreturn: the stack pointer is at the context. */
void program_sigreturn(struct probe_frame *f)
{
	struct context *c = (struct context *)f->r[REG_RSP];
	uint64_t word;
	if (!read_word((uint64_t)c, 8, &word) || !read_word((uint64_t)&c->mask, 8, &word))
		return; /* the kernel will say so */
	uint64_t believed = c->mask & FAULT_SIGNALS;
	if (believed || !all_is_deliverable()) {
		uint32_t tid = own_tid();
		thread_set_believed(tid, believed);
		held_release(tid, FAULT_SIGNALS & ~believed);
	}
	uint64_t shown = c->reserved[SHOWN_ADDRESS] == SHOWN_MAGIC ? c->reserved[ORIGINAL] : 0;
	restore_context(c);
	c->reserved[SHOWN_STACK] = FRAME_RETURNS;
	firewall_frame_returns(c, shown);
}
