/* The signals ClearView owns. In order of likelihood: a landing on dead text, an access of the blob's own that faulted, a patch that acts on a
 * fault, the program's own handler, a failure. */
#include "guest/guest_internal.h"

enum { SI_KERNEL_ = 0x80, TRAP_BREAKPOINT = 1 };

uint64_t landing_of(uint64_t address)
{
	uint32_t count = __atomic_load_n(&guest_tables.module_count, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < count; i++) {
		const struct guest_module *m = &guest_tables.module[i];
		if (address < m->start || address >= m->end)
			continue;
		const uint32_t *map = (const uint32_t *)((const uint8_t *)&guest_tables + m->map);
		uint32_t at = __atomic_load_n(&map[address - m->start], __ATOMIC_ACQUIRE);
		if (at)
			return m->code + at - 1;
	}
	return 0;
}

bool in_copies(uint64_t address)
{
	for (int i = 0; i < 4; i++)
		if (address >= guest_tables.code_start[i] && address < guest_tables.code_end[i])
			return true;
	return false;
}

static bool in_redirected_text(uint64_t address)
{
	for (uint32_t i = 0; i < guest_tables.module_count; i++)
		if (address >= guest_tables.module[i].start && address < guest_tables.module[i].end)
			return true;
	return false;
}

/* Dead text traps: int3 (the program counter is behind it), or a springboard's displacement byte that is a privileged or invalid opcode. */
static bool resolve_landing(int signal, const struct siginfo *info, struct context *c)
{
	if (info->code <= 0)
		return false;
	uint64_t address = signal == SIG_TRAP ? c->rip - 1 : c->rip;
	if (signal == SIG_TRAP && info->code != SI_KERNEL_ && info->code != TRAP_BREAKPOINT)
		return false;
	uint64_t copy = landing_of(address);
	if (!copy && in_redirected_text(address) && (signal == SIG_TRAP || info->code == SI_KERNEL_ || signal == SIG_ILL)) {
		uint64_t reply[2];
		post_event(EVENT_LANDING, (uint64_t[]){address, (uint64_t)c, signal, 0}, reply);
		copy = reply[0];
	}
	if (!copy)
		return false;
	guest_shared.last_landing = address;
	__atomic_add_fetch(&guest_shared.landings, 1, __ATOMIC_RELAXED);
	c->rip = copy;
	return true;
}

/* Patches that act at an address. Several may; kinds: bit k = enum fault_action_kind k. */
static const struct guest_fault_action *find_action(uint64_t address, unsigned kinds)
{
	uint32_t which = __atomic_load_n(&guest_tables.fault_current, __ATOMIC_ACQUIRE) & 1;
	const struct guest_fault_action *table = guest_tables.fault[which];
	uint32_t low = 0, count = guest_tables.fault_count[which];
	for (uint32_t high = count; low < high;) {
		uint32_t middle = (low + high) / 2;
		if (table[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < count && table[low].address == address; low++)
		if (kinds & 1u << table[low].kind)
			return &table[low];
	return NULL;
}

static bool act(uint64_t address, unsigned kinds, uint64_t sp, uint64_t *resume)
{
	const struct guest_fault_action *action = find_action(address, kinds);
	if (!action)
		return false;
	struct guest_tally *tally = &guest_shared.tally[action->probe % PROBE_COUNT_MAX];
	tally->last_tid = SYS0(__NR_gettid);
	tally->last_cfa = sp;
	*resume = action->resume;
	__atomic_add_fetch(&tally->activations, 1, __ATOMIC_RELEASE);
	return true;
}

static bool act_on_fault(struct context *c)
{
	return act(c->rip, 1u << FAULT_ANY, c->rsp, &c->rip);
}

bool act_on_heap_call(uint64_t behind_call, uint64_t sp, uint64_t *resume)
{
	return act(behind_call, 1u << FAULT_HEAP_CALL, sp, resume);
}

static void die_of(int signal, const struct siginfo *info, struct context *c)
{
	struct guest_action action = {.flags = SA_RESTORER_, .restorer = (uint64_t)entry_restorer};
	SYS4(__NR_rt_sigaction, signal, &action, 0, 8);
	c->mask &= ~SIGNAL_BIT(signal);
	if (info->code <= 0 || signal == SIG_TRAP) /* not raised by an instruction that will raise it again */
		SYS3(__NR_tgkill, SYS0(__NR_getpid), SYS0(__NR_gettid), signal);
}

static void fail(int signal, const struct siginfo *info, struct context *c)
{
	uint64_t reply[2];
	if (!post_event(EVENT_FAULT, (uint64_t[]){signal, (uint64_t)info, (uint64_t)c, 0}, reply))
		reply[0] = VERDICT_DIE;
	if (reply[0] == VERDICT_DIE)
		die_of(signal, info, c);
}

/* An access to guarded heap memory. Natively there would be no fault, so the program never hears of it and never dies of it. */
static bool heap_fault(int signal, const struct siginfo *info, struct context *c)
{
	enum { ACCESS_DENIED = 2, ERROR_WRITE = 2 };
	uint64_t reply[2];
	if (signal != SIG_SEGV || info->code != ACCESS_DENIED || !heap_guards(info->address))
		return false;
	if (heap_over_read(info->address, c->error & ERROR_WRITE) || act(c->rip, 1u << FAULT_HEAP, c->rsp, &c->rip))
		return true;
	if (!post_event(EVENT_FAULT, (uint64_t[]){signal, (uint64_t)info, (uint64_t)c, 0}, reply) || reply[0] != VERDICT_RESUME)
		heap_open(info->address);
	return true;
}

/* A handler that looks at its context, or edits it, sees original addresses; going on at one lands in the copy again. */
static void show_original_address(struct context *c)
{
	uint64_t reply[2];
	if (in_copies(c->rip) && post_event(EVENT_ORIGINAL, (uint64_t[]){c->rip, 0, 0, 0}, reply) && reply[0])
		c->rip = reply[0];
}

/* Blob, owned_signal: called by entry.S. Async-signal-safe by design: it is the handler. */
__attribute__((used)) void owned_signal(int signal, struct siginfo *info, struct context *c)
{
	bool raised_by_instruction = info->code > 0;
	if (resolve_landing(signal, info, c) || (raised_by_instruction && fix_memory_fault(c)) || heap_fault(signal, info, c) ||
	    (raised_by_instruction && act_on_fault(c)))
		return;
	struct guest_action *program = &guest_private.action[signal];
	if (program->handler == 1 && (!raised_by_instruction || signal == SIG_ABRT))
		return; /* SIG_IGN */
	if (program->handler > 1) {
		show_original_address(c);
		deliver_to_program(signal, info, c);
		return;
	}
	bool sent_by_others = info->code <= 0 && *(int32_t *)&info->address != (int32_t)SYS0(__NR_getpid);
	if (sent_by_others || (!raised_by_instruction && signal != SIG_ABRT))
		die_of(signal, info, c);
	else
		fail(signal, info, c);
}
