/* Forks and execs: the supervisor learns of new processes and follows them into new programs. And of text that the program is going to change. */
#include "guest/calls.h"
#include "guest/signals.h"

void program_fork(struct probe_frame *f)
{
	stacks_note(f);
	threads_forking(f->r[REG_RSP]);
}

/* iret to the next instruction: nothing that was fetched before counts any more. A tracer may be stepping (inject/nudge.c): its trap flag doesn't stay. */
static void serialise(void)
{
	uint64_t segment;
	__asm__ volatile("mov %%ss, %k0\n\tpush %0\n\tpush %%rsp\n\taddq $8, (%%rsp)\n\tpushfq\n\tbtrq $8, (%%rsp)\n\tmov %%cs, %k0\n\tpush %0\n\t"
			 "lea 1f(%%rip), %0\n\tpush %0\n\tiretq\n1:"
			 : "=&r"(segment) : : "memory", "cc");
}

/* Behind the system call, in parent and child. What kind of child this is can be seen: the arguments may be gone, with the parent's stack frame. A child with memory
 * of its own introduces itself. surely: the system call can't have been another one. */
void program_cloned(struct probe_frame *f, bool surely)
{
	uint64_t reply[2];
	if (!surely && (f->r[REG_RAX] != 0 || guest_process.pid))
		return;
	if (f->r[REG_RAX] != 0) {
		threads_forking(0);
		return;
	}
	bool own_memory = !guest_process.pid, thread = !in_vforked_child() && !own_memory;
	if (thread) {
		thread_goes_strict(false); /* one that had its place did, maybe */
		altstack_give();
	} else {
		threads_forked(f->r[REG_RSP], own_memory);
	}
	if (!own_memory)
		return;
	post_event(EVENT_FORKED, (uint64_t[]){SYS0(__NR_getppid), guest_private.generation, 0, 0}, reply);
	serialise(); /* the supervisor may have written text */
}

/* What the new program inherits in the way of signals is made true, for as long as no instruction can trap: between here and the system call. */
static void bare_signals(void)
{
	struct guest_action ignore = {.handler = 1};
	uint32_t tid = own_tid();
	struct thread_signals *t = thread_signals(tid, false);
	for (int s = 1; s <= 64; s++)
		if (OWNED_SIGNALS & SIGNAL_BIT(s) && guest_private.action[s].handler == 1)
			SYS4(__NR_rt_sigaction, s, &ignore, NULL, 8);
	if (t)
		real_mask(MASK_BLOCK, t->believed, NULL);
	held_release(tid, FAULT_SIGNALS);
}

static void cover_signals(void)
{
	for (int s = 1; s <= 64; s++)
		if (OWNED_SIGNALS & SIGNAL_BIT(s) && guest_private.action[s].handler == 1)
			set_own_action(s);
	real_mask(MASK_UNBLOCK, FAULT_SIGNALS, NULL);
}

void program_exec(struct probe_frame *f, bool seen_to_fail)
{
	uint64_t reply[2];
	post_event(EVENT_EXEC, (uint64_t[]){f->r[REG_RDI], f->r[REG_RSI], f->r[REG_RDX], f->r[REG_RAX]}, reply);
	if (seen_to_fail)
		bare_signals();
}

void program_exec_failed(struct probe_frame *f)
{
	uint64_t reply[2];
	cover_signals();
	post_event(EVENT_EXEC_FAILED, (uint64_t[]){f->r[REG_RAX], 0, 0, 0}, reply);
}

/* Text that becomes writable must hold the program's own bytes. */
void program_mprotect(const struct probe_frame *f)
{
	enum { WRITE = 2 };
	uint64_t reply[2], start = f->r[REG_RDI], end = start + f->r[REG_RSI];
	for (uint32_t i = 0; f->r[REG_RDX] & WRITE && i < guest_tables.module_count; i++) {
		const struct guest_module *m = &guest_tables.module[i];
		if (m->start < end && start < m->end)
			post_event(EVENT_TEXT_WRITE, (uint64_t[]){start, end, 0, 0}, reply);
	}
}

/* In place of the dynamic linker's debugger hook, which is called before and after it maps or unmaps something. Only the latter is news. */
__attribute__((used)) void modules_changed(void)
{
	enum { RT_CONSISTENT_ = 0 };
	uint64_t reply[2];
	if (guest_tables.link_state && *(const uint32_t *)guest_tables.link_state != RT_CONSISTENT_)
		return;
	post_event(EVENT_MODULES, (uint64_t[4]){0}, reply);
	seal_text();
	heap_prepare();
}
