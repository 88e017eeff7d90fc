/* On which stacks there is room for a probe that observes, some 600 bytes. Coroutines may have stacks with less, and nobody can see where those end. There is room
 *
 *   on the first thread's stack, and on those that threads were made with
 *   on any other, if it must be able to take a signal frame: the program has handlers that run on whatever stack is in use
 *
 * and elsewhere there is no learning. */
#include "guest/signals.h"

enum { STACK_MIN = 16384, ROOM = 2048, CLONE_ARGS_STACK = 40, CLONE_ARGS_SIZE = 48 };

static void note(uint64_t start, uint64_t end)
{
	uint64_t i = __atomic_fetch_add(&guest_signals.stacks_used, 1, __ATOMIC_RELAXED) % STACKS_KNOWN;
	guest_signals.stacks[i].start = start;
	guest_signals.stacks[i].end = end;
}

/* clone tells only where the stack begins; the smallest that C libraries give a thread is assumed. */
void stacks_note(const struct probe_frame *f)
{
	enum { SHARES_MEMORY = 0x100 };
	uint64_t number = f->r[REG_RAX], start, size;
	if (number == __NR_clone && f->r[REG_RDI] & SHARES_MEMORY && f->r[REG_RSI] > STACK_MIN)
		note(f->r[REG_RSI] - STACK_MIN, f->r[REG_RSI]);
	if (number == __NR_clone3 && read_word(f->r[REG_RDI] + CLONE_ARGS_STACK, 8, &start) && read_word(f->r[REG_RDI] + CLONE_ARGS_SIZE, 8, &size) && size >= STACK_MIN)
		note(start, start + size);
}

bool stack_is_noted(uint64_t sp)
{
	for (unsigned i = 0; i < STACKS_KNOWN; i++)
		if (sp < guest_signals.stacks[i].end && sp >= guest_signals.stacks[i].start + ROOM) {
			guest_signals.stack_chunks[(sp >> STACK_CHUNK_BITS) % STACK_CHUNKS] = sp >> STACK_CHUNK_BITS;
			return true;
		}
	return false;
}
