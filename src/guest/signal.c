/* The signals ClearView owns. In order of likelihood: a landing on dead text, an access of the blob's own that faulted, a patch that acts on a
 * fault, the program's own handler, a failure. */
#include "guest/calls.h"
#include "guest/heap_check.h"
#include "guest/signals.h"

enum { SI_KERNEL_ = 0x80, TRAP_BREAKPOINT = 1 };

bool in_copies(uint64_t address)
{
	for (int i = 0; i < 4; i++)
		if (address >= guest_tables.code_start[i] && address < guest_tables.code_end[i])
			return true;
	return false;
}

/* A trap that isn't known to be a landing, or a legitimate one: the supervisor knows. What it says of the program's own int3 and ud2 holds until the text
 * changes. */
static uint64_t ask_for_landing(enum guest_event_kind kind, uint64_t address, int signal, const struct context *c)
{
	uint64_t reply[2] = {0}, generation = __atomic_load_n(&guest_tables.legacy.generation, __ATOMIC_ACQUIRE);
	unsigned at = (address ^ address >> 6) % NATIVE_MAX;
	if (guest_signals.native[at].address == address && guest_signals.native[at].generation == generation)
		return 0;
	if (!post_event(kind, (uint64_t[]){address, (uint64_t)c, signal, 0}, reply) || reply[0])
		return reply[0];
	__atomic_store_n(&guest_signals.native[at].address, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&guest_signals.native[at].generation, generation, __ATOMIC_RELEASE);
	__atomic_store_n(&guest_signals.native[at].address, address, __ATOMIC_RELEASE);
	return 0;
}

static void transfer_failed(int signal, struct context *c);

/* With the firewall on, only what is approved is landed on without a question. Where nobody answers, a known instruction does. */
static uint64_t judged_landing(uint64_t address, int signal, struct context *c, uint64_t copy)
{
	uint64_t to = ask_for_landing(EVENT_TRANSFER, address, signal, c);
	if (to != TRANSFER_WRONG)
		return to ? to : copy;
	c->rip = address;
	transfer_failed(signal, c);
	return TRANSFER_WRONG;
}

/* Dead text traps: int3 (the program counter is behind it), or a springboard's displacement byte that is a privileged or invalid opcode. `int $4` is
 * something else: the program counter is behind it, too, where a springboard may be. */
static bool resolve_landing(int signal, const struct guest_siginfo *info, struct context *c)
{
	enum { OVERFLOW = 4 };
	if (info->code <= 0 || c->trap == OVERFLOW)
		return false;
	uint64_t address = signal == SIG_TRAP ? c->rip - 1 : c->rip;
	if (signal == SIG_TRAP && info->code != SI_KERNEL_ && info->code != TRAP_BREAKPOINT)
		return false;
	bool approved, traps = signal == SIG_TRAP || info->code == SI_KERNEL_ || signal == SIG_ILL;
	uint64_t copy = find_landing(address, signal == SIG_TRAP, &approved);
	if (!traps)
		return false;
	if (guest_tables.firewall && !approved && traps && in_redirected_text(address))
		copy = judged_landing(address, signal, c, copy);
	else if (!copy && traps && in_redirected_text(address))
		copy = ask_for_landing(EVENT_LANDING, address, signal, c);
	if (copy == TRANSFER_WRONG)
		return true;
	if (!copy)
		return false;
	guest_shared.last_landing = address;
	if (__atomic_add_fetch(&guest_shared.landings, 1, __ATOMIC_RELAXED) % GUEST_LANDINGS_MANY == 0)
		ring_bell();
	c->rip = copy;
	return true;
}

/* A program that steps itself, by the trap flag, sees its own instructions only: not the springboards, hops, probes, nor the blob. */
static bool step_over_ours(int signal, const struct guest_siginfo *info, struct context *c)
{
	enum { TRAP_TRACE = 2 };
	uint64_t reply[2], copy;
	bool approved;
	if (signal != SIG_TRAP || info->code != TRAP_TRACE)
		return false;
	if ((copy = find_landing(c->rip, false, &approved)) && (approved || !guest_tables.firewall))
		c->rip = copy;
	return in_blob(c->rip) || (in_copies(c->rip) && post_event(EVENT_STEP, (uint64_t[]){c->rip, 0, 0, 0}, reply) && !reply[0]);
}

/* The program wants unaligned accesses to trap, its own: not those that the blob makes for it. */
static bool align_blob(int signal, struct context *c)
{
	enum { ALIGNMENT_CHECK = 17, AC = 0x40000 };
	if (signal != SIG_BUS || c->trap != ALIGNMENT_CHECK || !in_blob(c->rip))
		return false;
	c->rflags &= ~(uint64_t)AC;
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

/* A call that went to what can't be executed faults there, not at itself: its return address tells which one it was. The action begins as if the call had not
 * been made. */
static bool act_on_transfer(struct context *c)
{
	uint64_t behind;
	if (!read_word(c->rsp, 8, &behind) || !act(behind, 1u << FAULT_TRANSFER, c->rsp + 8, &c->rip))
		return false;
	c->rsp += 8;
	return true;
}

static bool is_fetch(const struct context *c)
{
	enum { INSTRUCTION_FETCH = 16 };
	return c->error & INSTRUCTION_FETCH || c->cr2 == c->rip;
}

bool act_on_fault(struct context *c)
{
	return act(c->rip, 1u << FAULT_ANY, c->rsp, &c->rip) || (is_fetch(c) && act_on_transfer(c));
}

bool act_on_write(struct context *c)
{
	return act(c->rip, 1u << FAULT_ANY | 1u << FAULT_HEAP, c->rsp, &c->rip);
}

bool act_on_heap_call(uint64_t behind_call, uint64_t sp, uint64_t *resume)
{
	return act(behind_call, 1u << FAULT_HEAP_CALL, sp, resume);
}

/* Without a system call: it comes again, and nothing handles it. */
static void die_blocked(int signal, const struct guest_siginfo *info, struct context *c)
{
	c->mask |= SIGNAL_BIT(signal);
	if (signal == SIG_TRAP && info->code > 0)
		c->rip--; /* the int3 */
	else if (info->code <= 0) {
		c->mask |= SIGNAL_BIT(SIG_SEGV);
		c->rip = 0;
	}
}

void die_of(int signal, const struct guest_siginfo *info, struct context *c)
{
	struct guest_action action = {.flags = SA_RESTORER_, .restorer = (uint64_t)entry_restorer};
	if (may_call_nothing())
		return die_blocked(signal, info, c);
	SYS4(__NR_rt_sigaction, signal, &action, 0, 8);
	c->mask &= ~SIGNAL_BIT(signal);
	if (info->code <= 0 || signal == SIG_TRAP) /* not raised by an instruction that will raise it again */
		SYS3(__NR_tgkill, SYS0(__NR_getpid), SYS0(__NR_gettid), signal);
}

/* Control has come to what is no legitimate target. To the program it is as if there had been nothing to execute. */
static void transfer_failed(int signal, struct context *c)
{
	uint64_t reply[2];
	if (act_on_transfer(c))
		return;
	if (!post_event(EVENT_TRANSFER, (uint64_t[]){c->rip, (uint64_t)c, signal, 1}, reply))
		reply[0] = VERDICT_DIE;
	if (reply[0] == VERDICT_DIE)
		die_of(SIG_SEGV, &(struct guest_siginfo){.signo = SIG_SEGV}, c);
}

static void fail(int signal, const struct guest_siginfo *info, struct context *c)
{
	uint64_t reply[2];
	if (!post_event(EVENT_FAULT, (uint64_t[]){signal, (uint64_t)info, (uint64_t)c, 0}, reply))
		reply[0] = VERDICT_DIE;
	if (reply[0] == VERDICT_DIE)
		die_of(signal, info, c);
}

/* An access to guarded heap memory. Natively there would be no fault, so the program never hears of it and never dies of it. */
static bool heap_fault(int signal, const struct guest_siginfo *info, struct context *c)
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

static void fault_to_program(int signal, const struct guest_siginfo *info, struct context *c)
{
	const struct thread_signals *t = all_is_deliverable() ? NULL : thread_signals(own_tid(), false);
	bool blocked = t && t->believed & SIGNAL_BIT(signal);
	if (guest_private.action[signal].handler <= 1 || blocked || !deliver_to_program(signal, info, c))
		fail(signal, info, c);
}

/* By an instruction. */
static void raised_signal(int signal, const struct guest_siginfo *info, struct context *c)
{
	if (fetch_text(signal, info, c) || align_blob(signal, c) || step_over_ours(signal, info, c) || shadow_fault(signal, info, c) || check_fault(signal, info, c) || strict_trap(signal, info, c) || resolve_landing(signal, info, c) || fix_memory_fault(c) ||
	    skip_probe(c) || heap_fault(signal, info, c) || act_on_fault(c) ||
	    (signal == SIG_SEGV && follow_trampoline(c)))
		return;
	fault_to_program(signal, info, c);
}

/* By a process. */
static void sent_signal(int signal, struct guest_siginfo *info, struct context *c)
{
	uint32_t tid = own_tid();
	held_arrived(tid, info);
	const struct thread_signals *t = thread_signals(tid, false);
	uint64_t blocked = !t ? 0 : t->waiting ? t->wait_mask : t->believed;
	if (blocked & SIGNAL_BIT(signal) & FAULT_SIGNALS) {
		held_add(tid, info);
		descriptors_forward(tid, info);
	} else if (guest_private.action[signal].handler > 1 && deliver_to_program(signal, info, c))
		return;
	else if (guest_private.action[signal].handler == 1)
		return;
	else if (signal == SIG_ABRT && *(int32_t *)&info->address == (int32_t)SYS0(__NR_getpid))
		fail(signal, info, c);
	else
		die_of(signal, info, c);
}

/* Blob, owned_signal: called by entry.S. Async-signal-safe by design: it is the handler. */
__attribute__((used)) void owned_signal(int signal, struct guest_siginfo *info, struct context *c)
{
	if (info->code > 0)
		raised_signal(signal, info, c);
	else
		sent_signal(signal, info, c);
}
