/* What the firewall has to know of code that the program makes, and of signal frames.
 *
 * Where a handler returns to is its own affair, be it the middle of a procedure, as long as the frame is one
 * that was made for a signal; a frame that somebody else has put together is judged by where it leads. */
#include "guest/signals.h"

static uint64_t mark_of(const struct context *c)
{
	return guest_tables.heap_secret[1] ^ (uint64_t)c;
}

static void approve(uint64_t address)
{
	uint64_t reply[2];
	if (landing_is_judged(address))
		post_event(EVENT_APPROVE, (uint64_t[]){address, 0, 0, 0}, reply);
}

void firewall_frame_made(struct context *c)
{
	c->reserved[FRAME_MARK] = guest_tables.firewall ? mark_of(c) : 0;
}

void firewall_returns_unseen(const struct context *c)
{
	approve(c->rip);
}

/* What the handler has put on the stack, as a call would, will be returned to. */
void firewall_frame_returns(struct context *c, uint64_t shown)
{
	uint64_t pushed, copy;
	if (!guest_tables.firewall || c->reserved[FRAME_MARK] != mark_of(c))
		return;
	if (shown && read_word(c->rsp, 8, &pushed) && pushed == shown)
		approve(shown);
	if (!landing_is_judged(c->rip))
		return;
	if ((copy = landing_of(c->rip)))
		c->rip = copy;
	else
		approve(c->rip);
}

enum { EXEC = 4, ANONYMOUS = 0x20, EACCES_ = 13, READ_IMPLIES_EXEC_ = 0x400000 };

static uint64_t how_it_executes(const struct probe_frame *f, int number)
{
	return number != __NR_mmap ? EXECUTING_PRESENT : f->r[REG_R10] & ANONYMOUS ? EXECUTING_NEW : (int64_t)(int32_t)f->r[REG_R8];
}

/* What the program passes is changed in its registers: C libraries don't look at them again. */
bool firewall_refuses(struct probe_frame *f, int number)
{
	uint64_t reply[2];
	if (!guest_tables.no_jit)
		return false;
	if (number == __NR_personality) {
		if ((uint32_t)f->r[REG_RDI] != 0xffffffff)
			f->r[REG_RDI] &= ~(uint64_t)READ_IMPLIES_EXEC_;
		return false;
	}
	if (!(f->r[REG_RDX] & EXEC) ||
	    !post_event(EVENT_EXECUTABLE, (uint64_t[]){f->r[REG_RDI], f->r[REG_RSI], f->r[REG_RDX], how_it_executes(f, number)}, reply))
		return false;
	if (reply[0] == EXECUTABLE_WITHOUT)
		f->r[REG_RDX] &= ~(uint64_t)EXEC;
	if (reply[0] != EXECUTABLE_REFUSED)
		return false;
	f->r[REG_RAX] = -EACCES_;
	return true;
}
