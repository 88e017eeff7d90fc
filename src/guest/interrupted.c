/* Probes that a signal stops half-way. Whatever they have done so far is undone, in effect, so that the program's handlers see the thread at an instruction
 * of its own, or, where the program has no stack that a probe could run on (a stack pointer used for something else, the end of a small stack), the
 * probe is left out. The way of a probe (copy.c, entry.S), and how much of the stack it has taken there:
 *
 *	lea -128(%rsp),%rsp
 *	push $probe                     128
 *	call stub                       136
 *	stub: jmp entry_probe           144     (rsp: the return address, behind the call)
 *	entry_probe: 17 pushes          144 + 8 a push
 *	...                             280     (the frame is complete: the registers are in it)
 *	probe_exit: ...                         handler.c finishes what is left
 */
#include "guest/signals.h"

extern const uint8_t entry_probe[], probe_saved[], probe_exit[], probe_exit_end[], guest_text_end[];

enum { RETURN = 144, PROBE_CODE = 15, RELEASE_CODE = 8 };

static bool same(const uint8_t *a, const uint8_t *b, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

bool is_probe_code(const uint8_t *start)
{
	static const uint8_t reserve[] = {0x48, 0x8d, 0x64, 0x24, 0x80};
	return same(start, reserve, sizeof reserve) && start[5] == 0x68 && start[10] == 0xe8;
}

/* The address is behind a probe's call. */
static bool is_behind_probe(uint64_t address)
{
	return in_copies(address) && is_probe_code((const uint8_t *)address - PROBE_CODE);
}

/* Pushes that entry_probe has made when it is about to execute its byte `at`: pushfq (1 byte), eight high registers (2 each), eight low ones (1 each). */
static unsigned pushes_before(unsigned at)
{
	return at == 0 ? 0 : at <= 17 ? 1 + (at - 1) / 2 : 9 + (at - 17);
}

static void registers_of(const struct probe_frame *f, struct context *c)
{
	uint64_t *const places[16] = {&c->rax, &c->rcx, &c->rdx, &c->rbx, &c->rsp, &c->rbp, &c->rsi, &c->rdi,
				      &c->r8,  &c->r9,  &c->r10, &c->r11, &c->r12, &c->r13, &c->r14, &c->r15};
	for (int i = 0; i < 16; i++)
		*places[i] = f->r[i];
	c->rflags = f->rflags;
}

/* The return address behind the probe's call stands at sp. */
static bool at_return(struct context *c, uint64_t sp)
{
	uint64_t behind;
	if (!read_word(sp, 8, &behind) || !is_behind_probe(behind))
		return false;
	c->rip = behind - PROBE_CODE;
	c->rsp = sp + RETURN;
	return true;
}

/* Puts the context where the probe began, if it is in one that may begin again. work: of its entry, known only with a frame. */
static bool back_to_start(struct context *c, unsigned *work)
{
	const uint8_t *at = (const uint8_t *)c->rip;
	*work = PROBE_VISIT;
	if (at >= entry_probe && at < probe_saved)
		return at_return(c, c->rsp + 8 * pushes_before(at - entry_probe));
	if (at >= guest_zone && at < guest_text_end && !(at >= probe_exit && at < probe_exit_end)) {
		const struct probe_frame *f = interrupted_probe(c);
		if (!f || !is_behind_probe(f->resume))
			return false;
		*work = guest_tables.probe[f->id % PROBE_COUNT_MAX].work;
		c->rip = f->resume - PROBE_CODE;
		registers_of(f, c);
		return true;
	}
	if (!in_copies(c->rip))
		return false;
	if (is_probe_code(at - 5) || is_probe_code(at - 10)) {
		unsigned taken = is_probe_code(at - 5) ? 5 : 10;
		c->rsp += taken == 5 ? 128 : 136;
		c->rip -= taken;
		return true;
	}
	return at[0] == 0xff && at[1] == 0x25 && at_return(c, c->rsp); /* the stub */
}

/* A call that the copy makes itself:  push $low; movl $high, 4(%rsp); jmp target   or
 * push r/m64; push (%rsp); movl $low, 8(%rsp); movl $high, 12(%rsp); ret           with the original address behind the call. */
bool undo_call(struct context *c)
{
	static const uint8_t again[] = {0xff, 0x34, 0x24}, high[] = {0xc7, 0x44, 0x24, 4}, low_2[] = {0xc7, 0x44, 0x24, 8}, high_2[] = {0xc7, 0x44, 0x24, 12};
	const uint8_t *at = (const uint8_t *)c->rip;
	if (!in_copies(c->rip))
		return false;
	if (same(at, high, 4) && at[-5] == 0x68)
		c->rsp += 8;
	else if (same(at, again, 3) && same(at + 3, low_2, 4) && same(at + 11, high_2, 4))
		c->rsp += 8;
	else if ((same(at, low_2, 4) && same(at + 8, high_2, 4) && same(at - 3, again, 3)) || (same(at, high_2, 4) && same(at - 8, low_2, 4)) ||
		 (at[0] == 0xc3 && same(at - 8, high_2, 4) && same(at - 16, low_2, 4)))
		c->rsp += 16;
	else
		return false;
	return true;
}

bool restart_probe(struct context *c)
{
	static const uint32_t repeatable = 1u << PROBE_VISIT | 1u << PROBE_CHECK | 1u << PROBE_COUNT | 1u << PROBE_CAPTURE;
	struct context back = *c;
	unsigned work;
	if (!back_to_start(&back, &work) || !(repeatable >> work & 1))
		return false;
	*c = back;
	return true;
}

bool skip_probe(struct context *c)
{
	enum { NEAR = 8192 };
	struct context back = *c;
	unsigned work;
	bool is_stack = c->cr2 - (c->rsp - NEAR) < 2 * NEAR || c->error == 0;
	if (!is_stack || !back_to_start(&back, &work))
		return false;
	back.rip += PROBE_CODE + RELEASE_CODE;
	*c = back;
	return true;
}
