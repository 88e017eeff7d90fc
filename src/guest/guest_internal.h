/* What the blob's files share. */
#ifndef GUEST_INTERNAL_H
#define GUEST_INTERNAL_H

#include <clearview/guest_signals.h>
#include <stdbool.h>

#include "guest/syscall.h"

/* Placed by blob.lds. */
extern struct guest_private guest_private __attribute__((visibility("hidden")));
extern struct guest_bell guest_bell __attribute__((visibility("hidden")));
extern struct guest_shared guest_shared __attribute__((visibility("hidden")));
extern const struct guest_tables guest_tables __attribute__((visibility("hidden")));
extern const uint8_t guest_zone[] __attribute__((visibility("hidden")));
extern const uint8_t entry_signal[], entry_restorer[];

/* The kernel's view of a signal frame (asm/ucontext.h, asm/sigcontext.h), as far as we touch it. */
struct context {
	uint64_t flags, link;
	struct { uint64_t sp; int32_t flags; uint32_t unused; uint64_t size; } stack;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	uint64_t selectors, error, trap, old_mask, cr2;
	uint8_t *fpstate;
	uint64_t reserved[8];
	uint64_t mask;
};

/* What entry.S leaves on the stack at a probe; registers in hardware numbering. */
struct probe_frame {
	uint64_t r[16];
	uint64_t rflags;
	uint64_t resume;   /* return address: the instruction behind the probe's call */
	uint64_t id;
	uint8_t red_zone[128];
};

/* memory.c: false if the address can't be accessed. */
struct access {
	uint64_t value, ok; /* rax, rdx */
};
struct access do_read8(uint64_t address); /* read_word's heart */
bool read_word(uint64_t address, unsigned size, uint64_t *value);
bool write_word(uint64_t address, unsigned size, uint64_t value);
bool fix_memory_fault(struct context *c);

/* mailbox.c: posts and waits. False when no supervisor answers. */
bool supervisor_lives(void);
void ring_bell(void);
bool post_event(enum guest_event_kind kind, const uint64_t arg[4], uint64_t reply[2]);

/* deliver.c. False: the stack has no room for a frame, as when it is used up. */
bool deliver_to_program(int signal, const struct guest_siginfo *info, struct context *c);

/* landing.c: the copy of the instruction at a text address; 0: none. */
uint64_t landing_of(uint64_t address);
/* The same for a fault of another kind than int3; *approved: it need not be judged. */
uint64_t find_landing(uint64_t address, bool by_int3, bool *approved);
/* To come there would be judged by the firewall. */
bool landing_is_judged(uint64_t address);
bool in_copies(uint64_t address);
/* In the text of a module that has a landing map. */
bool in_redirected_text(uint64_t address);

/* shadow.c: an access of woven code to the shadow: goes on. */
bool shadow_fault(int signal, const struct guest_siginfo *info, const struct context *c);
/* A trap of woven code: dealt with. */
bool strict_trap(int signal, const struct guest_siginfo *info, struct context *c);

/* signal.c: a patch that acts at the instruction of the context, which has failed there. */
bool act_on_fault(struct context *c);
/* The same at a write that the check map forbids. */
bool act_on_write(struct context *c);
/* The signal's default action, on the way out of the handler. */
void die_of(int signal, const struct guest_siginfo *info, struct context *c);
/* A patch at a call of the allocator that found a double or invalid free; *resume: where it says to go on. */
bool act_on_heap_call(uint64_t behind_call, uint64_t sp, uint64_t *resume);

/* heap_map.c: makes what the first allocations will need, before the program may forbid itself system calls. */
void heap_prepare(void);

/* heap_guard.c: is the address in a guarded heap block's mapping? */
bool heap_guards(uint64_t address);
/* Deals with a read just beyond a block that is in use. */
bool heap_over_read(uint64_t address, bool is_write);
/* Makes the mapping accessible, as it would be natively. */
bool heap_open(uint64_t address);

/* sigactions.c, waits.c, handler.c, process.c: system calls the program makes. True: done, the result is in r[REG_RAX]. */
bool program_sigaction(struct probe_frame *f);
void set_own_action(int signal); /* of a signal that ClearView owns: the real one */
/* *sets_mask: the real mask to be set on the way out is in f->id. */
bool program_sigprocmask(struct probe_frame *f, bool *sets_mask);
/* altstack.c: a thread that has no alternate stack gets one of ours. */
void altstack_give(void);
bool program_sigaltstack(struct probe_frame *f);
bool program_sigpending(struct probe_frame *f);
bool program_sigtimedwait(struct probe_frame *f);
void program_wait(struct probe_frame *f, int number);
void program_waited(void);
void program_signalfd(const struct probe_frame *f);
void program_sigreturn(struct probe_frame *f);
void program_fork(struct probe_frame *f);
void program_exec(struct probe_frame *f, bool seen_to_fail);
void program_exec_failed(struct probe_frame *f);
void program_mprotect(const struct probe_frame *f);
void program_munmap(const struct probe_frame *f);
/* firewall.c: mprotect, mmap, personality, when the program mustn't make code at run time. */
bool firewall_refuses(struct probe_frame *f, int number);
void program_cloned(struct probe_frame *f, bool surely);

/* stacks.c: a thread is about to be made. */
void stacks_note(const struct probe_frame *f);

/* tracer.c */
bool program_ptrace(struct probe_frame *f);

/* saved.c: what ACTION_RESTORE needs of a procedure's activation. False: nothing is remembered of it, or (only_if_changed) its return address is intact. */
void saved_enter(uint64_t cfa, const struct probe_frame *f);
bool saved_restore(uint64_t cfa, bool only_if_changed, struct probe_frame *f);

/* trampoline.c: a jump to code on the stack that only fetches its context and jumps on, as compilers make it for nested functions. */
bool follow_trampoline(struct context *c);

/* fetch.c: text that is redirected when it is first wanted. True: it can be executed now. */
bool fetch_text(int signal, const struct guest_siginfo *info, const struct context *c);
void seal_text(void);
void fetch_all_text(void);

static inline void set_memory(void *to, int value, size_t size)
{
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
}

static inline void copy_memory(void *to, const void *from, size_t size)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

#endif
