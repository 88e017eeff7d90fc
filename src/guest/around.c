/* A signal in the middle of the blob's own work that can't begin again (interrupted.c has the rest): the program's handler is shown the state of the program around it, at original addresses, and what was
 * interrupted goes on when the handler has returned.
 *
 *   in a probe                        the registers in its frame, behind the probe
 *   in what stands in for the allocator, or for the dynamic linker's hook: as if the call had returned, as to rip, rsp and rbp
 *
 * The real registers are kept in the red zone below the interrupted stack pointer, which the kernel leaves free and the blob doesn't use, and in words
 * of the context that the kernel doesn't use. The blob is compiled with frame pointers; the chain leads from the interrupted function to the way in. */
#include "guest/heap_internal.h"
#include "guest/signals.h"

enum { CHAIN_MAX = 32, FRAME_SIZE = 280, RED_ZONE_WORDS = 16, CALL_SIZE = 5, RELEASE_STACK = 24, IN_PROBE = 1 /* in KEPT_STACK */ };

extern const uint8_t entry_probe[], probe_saved[], probe_marked[], probe_aligned[], probe_returned[], probe_exit[], free_checked[], realloc_checked[], handler_entered[], entry_free[], entry_realloc[], entry_modules[];
/* Hidden: else the linker, which thinks that it knows where the blob will be, makes their addresses absolute. */
void heap_free_on(uint64_t p) __attribute__((visibility("hidden")));
uint64_t heap_realloc(uint64_t p, uint64_t size) __attribute__((visibility("hidden")));
extern const uint8_t guest_text_end[] __attribute__((visibility("hidden")));

bool in_blob(uint64_t address)
{
	return address - (uint64_t)guest_zone < (uint64_t)(guest_text_end - guest_zone);
}

/* All but rsp, in the order of struct probe_frame, and the flags. */
static void list_registers(struct context *c, uint64_t *out[RED_ZONE_WORDS])
{
	uint64_t *const all[RED_ZONE_WORDS] = {&c->rax, &c->rcx, &c->rdx, &c->rbx, &c->rflags, &c->rbp, &c->rsi, &c->rdi,
					       &c->r8,  &c->r9,  &c->r10, &c->r11, &c->r12,    &c->r13, &c->r14, &c->r15};
	for (int i = 0; i < RED_ZONE_WORDS; i++)
		out[i] = all[i];
}

static uint64_t *place_in_frame(struct probe_frame *f, int i)
{
	return i == REG_RSP ? &f->rflags : &f->r[i];
}

/* jmp *2(%rip); 2 bytes; .quad target: a zone's way to the blob. 0: there is none. */
static uint64_t stub_target(uint64_t address)
{
	uint64_t word, target;
	bool is_stub = in_copies(address) && read_word(address, 8, &word) && (word & 0xffffffffffff) == 0x225ff && read_word(address + 8, 8, &target);
	return is_stub && in_blob(target) ? target : 0;
}

/* How many words entry_probe has pushed when it comes to `at`: pushes are of one byte, or two with a prefix. */
static unsigned pushed_before(const uint8_t *at)
{
	unsigned count = 0;
	for (const uint8_t *p = entry_probe; p < at && p < probe_saved; p += *p == 0x41 ? 2 : 1)
		count++;
	return count;
}

/* Nothing has happened yet but pushes, and the address of the frame's end in rax: back to the probe's call. */
void leave_probe_entry(struct context *c)
{
	const uint8_t *at = (const uint8_t *)c->rip;
	uint64_t back;
	bool is_stub = stub_target(c->rip) == (uint64_t)entry_probe;
	if (!is_stub && (at < entry_probe || at >= probe_marked))
		return;
	uint64_t sp = c->rsp + 8 * (is_stub ? 0 : pushed_before(at));
	if (!read_word(sp, 8, &back))
		return;
	if (at >= probe_saved && at < probe_marked) {
		c->rax = ((uint64_t *)c->rsp)[REG_RAX];
		c->rflags = ((struct probe_frame *)c->rsp)->rflags;
	}
	c->rip = back - CALL_SIZE;
	c->rsp = sp + 8;
}

/* entry_probe aligned the stack below its frame. A frame holds the stack pointer from before it. */
static struct probe_frame *frame_above(uint64_t at)
{
	uint64_t word;
	for (int i = 0; i < 2; i++, at += 8)
		if (read_word(at + 8 * REG_RSP, 8, &word) && word == at + FRAME_SIZE)
			return (struct probe_frame *)at;
	return NULL;
}

/* Where the blob was entered. */
struct way_in {
	struct probe_frame *frame;  /* by a probe; or: */
	uint64_t back, sp, rbp;     /* by a call: the state behind it */
};

static bool leads_out(uint64_t return_address)
{
	const uint8_t *to = (const uint8_t *)return_address;
	return to == probe_returned || to == free_checked || to == realloc_checked;
}

static bool note_return(struct way_in *w, uint64_t return_address, uint64_t slot, uint64_t rbp)
{
	const uint8_t *to = (const uint8_t *)return_address;
	if (to == probe_returned)
		return (w->frame = frame_above(slot + 8)) != NULL;
	if (to == free_checked || to == realloc_checked)
		slot += 8 + RELEASE_STACK;
	else if (in_blob(return_address))
		return false;
	w->sp = slot + 8;
	w->rbp = rbp;
	return read_word(slot, 8, &w->back);
}

/* On the way into another handler: as if that had just been entered. rbp: entry_handler's, below what it has saved. */
static bool note_handler(struct way_in *w, uint64_t rbp)
{
	enum { SAVED = 32, RDI = 24 };
	uint64_t signal;
	if (!read_word(rbp, 8, &w->rbp) || !read_word(rbp + RDI, 8, &signal) || signal > 64 || guest_signals.handler[signal] <= 1)
		return false;
	w->back = guest_signals.handler[signal];
	w->sp = rbp + SAVED;
	return true;
}

/* Functions that the program's code calls or jumps to, and what heap_entry.S jumps to. No table: the blob has no relocations. */
static const uint8_t *way_in_at(unsigned i)
{
	const struct guest_header *header = (const struct guest_header *)guest_zone;
	unsigned calls = ENTRY_USABLE_SIZE - ENTRY_MALLOC + 1;
	if (i < calls)
		return guest_zone + header->entry[ENTRY_MALLOC + i];
	return i == calls ? (const uint8_t *)heap_free_on : i == calls + 1 ? (const uint8_t *)heap_realloc : i == calls + 2 ? entry_modules : NULL;
}

/* In heap_entry.S: words between the stack pointer and the return address. */
static int release_depth(const uint8_t *at)
{
	struct { const uint8_t *start, *checked; } parts[] = {{entry_free, free_checked}, {entry_realloc, realloc_checked}};
	for (int i = 0; i < 2; i++) {
		uint64_t before = at - parts[i].start, behind = at - parts[i].checked;
		if (at >= parts[i].start && at < parts[i].checked)
			return before < 3 ? (int)before : 3; /* push, push, sub */
		if (behind < 12)
			return behind == 0 ? 3 : behind == 4 ? 2 : behind == 5 ? 1 : 0; /* add, pop, pop, test, jnz, jmp */
	}
	return -1;
}

/* ... push %rbp ... mov %rsp, %rbp. Words between the stack pointer and the return address; -1: the frame pointer is set. */
static int prologue_depth(const uint8_t *function, const uint8_t *at)
{
	enum { PROLOGUE_MAX = 24, PUSH_RBP = 0x55 };
	int depth = 0;
	if (at < function || at >= function + PROLOGUE_MAX)
		return -1;
	for (; function < at; function++) {
		if (function[0] == 0x48 && function[1] == 0x89 && function[2] == 0xe5)
			return -1;
		depth |= *function == PUSH_RBP;
	}
	return depth;
}

static uint64_t bare_slot(const struct context *c)
{
	enum { RET = 0xc3 };
	const uint8_t *at = (const uint8_t *)c->rip;
	if (!in_blob(c->rip) || *at == RET)
		return c->rsp;
	int depth = release_depth(at);
	if (depth >= 0)
		return c->rsp + 8 * depth;
	const uint8_t *f;
	for (unsigned i = 0; (f = way_in_at(i)); i++)
		if ((depth = prologue_depth(f, at)) >= 0)
			return c->rsp + 8 * depth;
	return 0;
}

static bool follow_chain(const struct context *c, struct way_in *w)
{
	uint64_t rbp = c->rbp, above, to;
	uint64_t slot = bare_slot(c);
	if (slot && read_word(slot, 8, &to) && note_return(w, to, slot, rbp))
		return true;
	for (int i = 0; i < 2; i++) /* before the first function's frame pointer is set */
		if (read_word(c->rsp + 8 * i, 8, &to) && leads_out(to) && note_return(w, to, c->rsp + 8 * i, rbp))
			return true;
	for (int i = 0; i < CHAIN_MAX; i++, rbp = above) {
		if (rbp < c->rsp || !read_word(rbp, 8, &above) || !read_word(rbp + 8, 8, &to))
			return false;
		if (note_return(w, to, rbp + 8, above))
			return true;
		if (to == (uint64_t)handler_entered)
			return note_handler(w, above);
		if (above <= rbp)
			return false;
	}
	return false;
}

static bool find_way_in(const struct context *c, struct way_in *w)
{
	const uint8_t *at = (const uint8_t *)c->rip;
	if (at >= probe_marked && at < probe_exit) {
		w->frame = frame_above(at < probe_aligned ? c->rsp : c->rbx);
		return w->frame != NULL;
	}
	return follow_chain(c, w);
}

const struct probe_frame *interrupted_probe(const struct context *c)
{
	struct way_in w = {0};
	return find_way_in(c, &w) ? w.frame : NULL;
}

bool show_around_blob(struct context *c)
{
	struct way_in w = {0};
	uint64_t *registers[RED_ZONE_WORDS], *kept = (uint64_t *)c->rsp - RED_ZONE_WORDS;
	if ((!in_blob(c->rip) && !stub_target(c->rip)) || !find_way_in(c, &w))
		return false;
	list_registers(c, registers);
	for (int i = 0; i < RED_ZONE_WORDS; i++)
		if (!write_word((uint64_t)&kept[i], 8, *registers[i]))
			return false;
	for (int i = 0; i < RED_ZONE_WORDS && w.frame; i++)
		*registers[i] = *place_in_frame(w.frame, i);
	if (!w.frame)
		c->rbp = w.rbp;
	c->reserved[KEPT_ADDRESS] = c->rip;
	c->reserved[KEPT_STACK] = c->rsp | (w.frame ? IN_PROBE : 0);
	c->rip = w.frame ? w.frame->resume : w.back;
	c->rsp = w.frame ? (uint64_t)&w.frame->id : w.sp;
	return true;
}

/* What a handler changed in the registers counts where the probe will load them from. */
void go_on_in_blob(struct context *c)
{
	uint64_t stack = c->reserved[KEPT_STACK] & ~(uint64_t)IN_PROBE, word;
	uint64_t *registers[RED_ZONE_WORDS], *kept = (uint64_t *)stack - RED_ZONE_WORDS;
	struct probe_frame *f = c->reserved[KEPT_STACK] & IN_PROBE ? frame_above(c->rsp - FRAME_SIZE) : NULL; /* else what looks like one is an old one's rest */
	list_registers(c, registers);
	for (int i = 0; i < RED_ZONE_WORDS; i++)
		if (!read_word((uint64_t)&kept[i], 8, &word))
			return;
	for (int i = 0; i < RED_ZONE_WORDS; i++) {
		if (f && (uint64_t)f + FRAME_SIZE == c->rsp)
			*place_in_frame(f, i) = *registers[i];
		*registers[i] = kept[i];
	}
	c->rip = c->reserved[KEPT_ADDRESS];
	c->rsp = stack;
}
