/* What of a thread still needs the blob. */
#include <clearview/guest_signals.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "engine/zone.h"
#include "inject/detach.h"
#include "inject/maps.h"
#include "inject/memory.h"

enum { STACK_MAX = 1 << 20, PAGE = 4096 };

/* The kernel's ucontext, from its first byte: guest/guest_internal.h. */
enum { CONTEXT_STACK = 16, CONTEXT_RSP = 160, CONTEXT_RIP = 168, CONTEXT_SELECTORS = 184, CONTEXT_WORDS = CONTEXT_SELECTORS / 8 + 1 };
#define USER_SELECTORS 0x002b000000000033ull /* cs, and ss at the top; gs and fs are 0 */

static bool in_blob(const struct detach_view *v, uint64_t address)
{
	return address - v->plan->base < GUEST_PRIVATE_OFFSET;
}

static bool in_zones(const struct detach_view *v, uint64_t address)
{
	return address - v->plan->base < GUEST_CODE_OFFSET + ZONE_SIZE || (v->plan->zone[1] && address - v->plan->zone[1] < ZONE_SIZE);
}

static bool on_our_stacks(const struct detach_view *v, uint64_t address)
{
	return address - (v->plan->base + GUEST_PRIVATE_OFFSET + STACKS_OFFSET) < (uint64_t)ALTSTACKS * ALTSTACK_SIZE;
}

/* The stack from the red zone up, as far as it is mapped; words, to be freed. */
static uint64_t *read_stack(pid_t pid, uint64_t sp, size_t *count)
{
	uint64_t *words = malloc(STACK_MAX);
	if (!words)
		abort();
	*count = memory_read(pid, sp & ~7ull, words, STACK_MAX) / sizeof *words;
	return words;
}

/* A signal frame whose handler will return to our code. */
static const char *prepare_context(const struct detach_view *v, const struct thread *one, uint64_t at, const uint64_t *words)
{
	uint64_t pc = words[CONTEXT_RIP / 8], sp = words[CONTEXT_RSP / 8];
	struct { uint64_t sp; int32_t flags; uint32_t unused; uint64_t size; } none = {.flags = SS_DISABLE_};
	if (on_our_stacks(v, words[CONTEXT_STACK / 8]) && memory_write(v->pid, at + CONTEXT_STACK, &none, sizeof none))
		return "a signal frame can't be written";
	if (!in_zones(v, pc))
		return NULL;
	int status = v->original(v->context, &pc, &sp);
	if (status || in_zones(v, pc)) /* the blob has no original */
		return v->is_used(v->context, one, at - 8) ? "a signal handler has interrupted us" : NULL;
	if (memory_write(v->pid, at + CONTEXT_RIP, &pc, sizeof pc) || memory_write(v->pid, at + CONTEXT_RSP, &sp, sizeof sp))
		return "a signal frame can't be written";
	return NULL;
}

static bool is_context(const uint64_t *words, size_t left)
{
	enum { FLAGS_MAX = 16 };
	return left >= CONTEXT_WORDS && words[CONTEXT_SELECTORS / 8] == USER_SELECTORS && words[0] < FLAGS_MAX && !words[1];
}

static const char *prepare_stack(const struct detach_view *v, const struct thread *one)
{
	size_t count;
	uint64_t from = one->regs.rsp & ~7ull, *words = read_stack(v->pid, from, &count);
	const char *problem = NULL;
	for (size_t i = 0; i < count && !problem; i++) {
		if (is_context(words + i, count - i)) {
			problem = prepare_context(v, one, from + i * 8, words + i);
			i += CONTEXT_WORDS - 1;
		} else if (in_blob(v, words[i]) && v->is_used(v->context, one, from + i * 8)) {
			problem = "it is in the allocator";
		}
	}
	free(words);
	return problem;
}

/* It is moved only when nothing else is in the way: who is helped on must get on. */
const char *detach_prepare(const struct detach_view *v, struct thread *one)
{
	struct thread moved = *one;
	uint64_t pc = one->regs.rip, sp = one->regs.rsp;
	if (in_blob(v, pc))
		return "it is in the blob";
	if (on_our_stacks(v, sp))
		return "a signal handler runs on a stack of ours";
	if (thread_has_faulted(one)) /* a landing of ours, as it may be: the program must not get it */
		return "it is trapping";
	if (v->original(v->context, &pc, &sp))
		return "it is in the middle of woven code";
	moved.is_moved |= pc != one->regs.rip || sp != one->regs.rsp;
	moved.regs.rip = pc;
	moved.regs.rsp = sp;
	const char *problem = prepare_stack(v, &moved);
	if (!problem)
		*one = moved;
	return problem;
}
