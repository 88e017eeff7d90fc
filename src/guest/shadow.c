/* The shadow of return addresses (clearview/guest.h): makes its memory, and looks at returns that differ from what was noted. */
#include "guest/heap_check.h"
#include "guest/signals.h"

enum { MAP_ERROR = 1, SI_KERNEL_ = 0x80, GS_PREFIX = 0x65, READ_WRITE = 3, PRIVATE_ANONYMOUS_UNRESERVED_FRESH = 0x104022, DONT_DUMP = 16,
       EXISTS = -17 };

/* A piece that another thread has made meanwhile is there, too. */
static bool make_piece(uint64_t address)
{
	uint64_t piece = address & ~(GUEST_SHADOW_PIECE - 1ull);
	long at = SYS6(__NR_mmap, piece, GUEST_SHADOW_PIECE, READ_WRITE, PRIVATE_ANONYMOUS_UNRESERVED_FRESH, -1, 0);
	if (at == (long)piece)
		SYS3(__NR_madvise, piece, GUEST_SHADOW_PIECE, DONT_DUMP);
	return at == (long)piece || at == EXISTS;
}

static bool is_shadow(uint64_t address)
{
	return address - GUEST_SHADOW < 1ull << 47 && address < 1ull << 47;
}

bool shadow_fault(int signal, const struct guest_siginfo *info, const struct context *c)
{
	if (signal != SIG_SEGV || !guest_tables.shadow || !in_copies(c->rip) || *(const uint8_t *)c->rip != GS_PREFIX)
		return false;
	if (info->code != MAP_ERROR || !is_shadow(info->address) || !make_piece(info->address))
		__asm__ volatile("wrgsbase %0" : : "r"(GUEST_SHADOW_NONE)); /* no room, or no shadow for this stack: watched no longer */
	return true;
}

/* What was noted for the return address at the stack pointer; 0: nothing. */
static uint64_t noted(uint64_t sp)
{
	uint64_t value;
	return read_word(sp + GUEST_SHADOW, 8, &value) ? value : 0;
}

/* A frame that was entered before anything was watched, or in a way of its own, has nothing noted. */
static void return_differs(const struct guest_siginfo *info, struct context *c)
{
	uint64_t expected = noted(c->rsp), reply[2];
	if (!expected) {
		guest_shared.last_unnoted = c->rip;
		__atomic_add_fetch(&guest_shared.unnoted_returns, 1, __ATOMIC_RELAXED);
		return;
	}
	if (act_on_fault(c))
		return;
	if (!post_event(EVENT_RETURN, (uint64_t[]){(uint64_t)info, (uint64_t)c, expected, 0}, reply))
		reply[0] = VERDICT_DIE;
	if (reply[0] == VERDICT_DIE)
		die_of(SIG_SEGV, &(struct guest_siginfo){.signo = SIG_SEGV}, c);
}

bool strict_trap(int signal, const struct guest_siginfo *info, struct context *c)
{
	const uint8_t *at = (const uint8_t *)c->rip;
	if (signal != SIG_ILL || info->code <= 0 || !in_copies(c->rip) || at[0] != STRICT_TRAP_0 || at[1] != STRICT_TRAP_1 || (at[2] & 0xc7) != STRICT_TRAP_2)
		return false;
	c->rip += *(const int32_t *)(at + 3);
	switch (at[2] >> 3 & 7) {
	case STRICT_RETURN:
		return_differs(info, c);
		return true;
	case STRICT_WRITE:
		check_write((const struct strict_write *)(at + STRICT_TRAP_SIZE), info, c);
		return true;
	}
	return false;
}
