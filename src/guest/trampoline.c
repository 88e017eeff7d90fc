/* GCC's nested functions: the address of one is a few instructions on the stack, which set the static chain and jump on. Stacks aren't executable here, so
 * that jumps into injected code fail; exactly these instructions are carried out, and only to a target in a module's text.
 *
 *      endbr64                  f3 0f 1e fa      (with -fcf-protection)
 *      mov $procedure, %r11     41 bb imm32      or 49 bb imm64
 *      mov $frame, %r10         49 ba imm64      (or 41 ba imm32)
 *      rex.WB jmp *%r11         49 ff e3         the order of the two moves differs between compilers */
#include "guest/signals.h"

enum { TRAMPOLINE_MAX = 27, KNOWN_TARGETS = 16 };

static unsigned fetch(uint64_t at, uint8_t bytes[TRAMPOLINE_MAX])
{
	unsigned n = 0;
	for (uint64_t byte; n < TRAMPOLINE_MAX && read_word(at + n, 1, &byte); n++)
		bytes[n] = byte;
	return n;
}

/* mov $imm, %r10 or %r11; its length, or 0. */
static unsigned read_move(const uint8_t *at, uint64_t r[2])
{
	if ((at[0] != 0x41 && at[0] != 0x49) || (at[1] != 0xba && at[1] != 0xbb))
		return 0;
	unsigned size = at[0] == 0x49 ? 8 : 4;
	r[at[1] - 0xba] = 0;
	copy_memory(&r[at[1] - 0xba], at + 2, size);
	return 2 + size;
}

static bool parse(const uint8_t *bytes, unsigned available, uint64_t r[2])
{
	static const uint8_t landing_mark[] = {0xf3, 0x0f, 0x1e, 0xfa};
	unsigned at = 0, marked = 0;
	while (marked < 4 && bytes[marked] == landing_mark[marked])
		marked++;
	if (marked == 4)
		at = 4;
	for (int i = 0; i < 2; i++) {
		unsigned length = at + 10 <= TRAMPOLINE_MAX ? read_move(bytes + at, r) : 0;
		if (!length)
			return false;
		at += length;
	}
	return r[1] && at + 3 <= available && bytes[at] == 0x49 && bytes[at + 1] == 0xff && bytes[at + 2] == 0xe3;
}

static bool is_text(uint64_t target)
{
	uint64_t reply[2];
	uint64_t *known = &guest_signals.target[target % KNOWN_TARGETS];
	if (*known == target)
		return true;
	if (!post_event(EVENT_TEXT, (uint64_t[]){target, 0, 0, 0}, reply) || !reply[0])
		return false;
	*known = target;
	return true;
}

bool follow_trampoline(struct context *c)
{
	enum { FETCH = 0x10 };
	uint8_t bytes[TRAMPOLINE_MAX] = {0};
	uint64_t r[2] = {0};
	if (!(c->error & FETCH) || c->cr2 != c->rip || c->rip - c->rsp > 8ull << 20)
		return false;
	unsigned available = fetch(c->rip, bytes);
	if (!parse(bytes, available, r) || !is_text(r[1]))
		return false;
	c->r10 = r[0];
	c->r11 = r[1];
	c->rip = r[1];
	return true;
}
