/* The frame of a differential program: enters each generated case with a state made from the seed, records what it finds at checkpoints, faults and the
 * end, and goes on behind a fault at the next instruction. Freestanding: no libc, no stack protector, general registers only; fs and gs belong to the
 * cases. Whatever is compared must not depend on where something else (a signal frame, a probe) has written: below the red zone, the stack's content
 * counts for nothing. */
#include "runtime.h"

#pragma GCC visibility push(hidden) /* everything is within reach of rip */

#include <asm/unistd.h>
#include <stdbool.h>
#include <stddef.h>

enum { DATA_SIZE = 4096, STACK_SIZE = 65536, TRACE_SIZE = 1 << 20, FAULTS_MAX = 200, XSAVE_SIZE = 4096, LEGACY = 512 };
enum { FLAGS_SEEN = 0x244dd5 }; /* CF PF AF ZF SF TF DF OF NT AC ID */
enum { SIGILL_ = 4, SIGTRAP_ = 5, SIGBUS_ = 7, SIGFPE_ = 8, SIGSEGV_ = 11 };

/* By the generator and the linker: the code, a bit for every byte of it that starts an instruction, and where the cases begin. */
extern const uint8_t fuzz_code[], fuzz_code_end[], fuzz_starts[], fuzz_leave[];
extern const uint32_t fuzz_cases[], fuzz_case_count, fuzz_seed, fuzz_depth;
extern uint8_t fuzz_data[], fuzz_stack[];

struct state {
	uint64_t r[16], flags, rip;
	uint8_t xsave[XSAVE_SIZE] __attribute__((aligned(64)));
};

/* Reached from runtime_entry.S by name. */
struct state initial, seen;
uint64_t xsave_mask, host_stack;
void enter_case(const void *entry);

static uint8_t trace[TRACE_SIZE], alternate_stack[65536] __attribute__((aligned(64)));
static size_t trace_used;
static uint32_t current, faults, fuel = 300;

/* runtime_entry.S: the one place that system calls are made at. */
long system_call(long number, long a, long b, long c, long d);

#define SYSTEM(n, a, b, c, d) system_call(n, (long)(a), (long)(b), (long)(c), (long)(d))

static _Noreturn void end(int status)
{
	for (;;)
		SYSTEM(__NR_exit_group, status, 0, 0, 0);
}

static void flush(void)
{
	for (size_t done = 0; done < trace_used;) {
		long n = SYSTEM(__NR_write, 1, trace + done, trace_used - done, 0);
		if (n <= 0)
			end(3);
		done += n;
	}
	trace_used = 0;
}

static uint64_t hash_bytes(uint64_t h, const void *from, size_t size)
{
	const uint8_t *p = from;
	uint64_t word;
	for (; size >= 8; size -= 8, p += 8) {
		__builtin_memcpy(&word, p, 8);
		h = ((h ^ word) * 0x9e3779b97f4a7c15u) ^ h >> 29;
	}
	for (; size; size--, p++)
		h = (h ^ *p) * 0x100000001b3u;
	return h;
}

/* Without the last x87 instruction's address, and without the parts of the area that nobody writes. */
static uint64_t hash_vectors(const uint8_t *x)
{
	uint64_t h = hash_bytes(hash_bytes(1, x, 8), x + 16, 16);
	for (int i = 0; i < 8; i++)
		h = hash_bytes(h, x + 32 + 16 * i, 10);
	h = hash_bytes(h, x + 160, 256);
	if (xsave_mask & 4)
		h = hash_bytes(h, x + 576, 256);
	if (xsave_mask & 0xe0)
		h = hash_bytes(h, x + 832, 1600);
	return h;
}

/* As deep as the cases can have written it. */
static uint64_t hash_stack(uint64_t sp)
{
	uint64_t high = (uint64_t)fuzz_stack + STACK_SIZE, low = initial.r[4] - fuzz_depth;
	return sp >= low && sp <= high ? hash_bytes(2, (void *)sp, high - sp) : 0;
}

/* A stack pointer that was led into the data makes a stack of it. */
static uint64_t hash_data(uint64_t sp)
{
	enum { RED_ZONE = 128 };
	uint64_t low = (uint64_t)fuzz_data, high = low + DATA_SIZE, from = sp - RED_ZONE > low && sp - RED_ZONE < high ? sp - RED_ZONE : low;
	return hash_bytes(3, (void *)from, high - from);
}

static struct record *new_record(enum record_kind kind)
{
	if (trace_used + sizeof(struct record) > TRACE_SIZE)
		flush();
	struct record *r = (struct record *)(trace + trace_used);
	trace_used += sizeof *r;
	*r = (struct record){.number = current, .kind = kind};
	return r;
}

/* Called by runtime_entry.S with the program's state in `seen`. */
void record_seen(enum record_kind kind)
{
	struct record *r = new_record(kind);
	for (int i = 0; i < 16; i++)
		r->r[i] = seen.r[i];
	r->rip = seen.rip;
	r->flags = seen.flags & FLAGS_SEEN;
	r->vectors = hash_vectors(seen.xsave);
	r->stack = hash_stack(seen.r[4]);
	if (kind == RECORD_END)
		r->memory = hash_data(seen.r[4]);
}

struct context {
	uint64_t flags, link, stack[3];
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	uint64_t selectors, error, trap, old_mask, cr2;
	uint8_t *fpstate;
};

struct siginfo {
	int32_t signo, error, code, unused;
	uint64_t address;
};

/* The next instruction's first byte; outside the code, and when there were enough faults, the case is over. */
static uint64_t go_on(uint64_t rip)
{
	size_t size = fuzz_code_end - fuzz_code, at = rip - (uint64_t)fuzz_code;
	if (++faults < FAULTS_MAX)
		for (at++; at < size; at++)
			if (fuzz_starts[at / 8] >> at % 8 & 1)
				return (uint64_t)fuzz_code + at;
	return (uint64_t)fuzz_leave;
}

static void handler(int signal, struct siginfo *info, struct context *c)
{
	enum { PAGE_FAULT = 14, TRAP_FLAG = 0x100, ALIGNMENT = 0x40000 };
	struct record *r = new_record(RECORD_FAULT);
	const uint64_t registers[16] = {c->rax, c->rcx, c->rdx, c->rbx, c->rsp, c->rbp, c->rsi, c->rdi,
					c->r8,  c->r9,  c->r10, c->r11, c->r12, c->r13, c->r14, c->r15};
	for (int i = 0; i < 16; i++)
		r->r[i] = registers[i];
	r->signal = signal;
	r->rip = c->rip;
	r->flags = c->rflags & FLAGS_SEEN;
	r->code = info->code;
	r->address = info->address;
	r->error = c->trap << 32 | c->error;
	r->vectors = c->fpstate ? hash_vectors(c->fpstate) : 0;
	r->stack = hash_stack(c->rsp);
	r->memory = c->trap == PAGE_FAULT ? c->cr2 : 0;
	c->rip = signal == SIGTRAP_ && c->rip - 1 - (uint64_t)fuzz_code < (uint64_t)(fuzz_code_end - fuzz_code) ? go_on(c->rip - 1) : go_on(c->rip);
	c->rflags &= ~(uint64_t)(TRAP_FLAG | ALIGNMENT);
}

void restorer(void);

static void set_handlers(void)
{
	static const uint8_t signals[] = {SIGILL_, SIGTRAP_, SIGBUS_, SIGFPE_, SIGSEGV_};
	struct { void *handler; uint64_t flags; void *restorer; uint64_t mask; } action = {handler, 0x4c000004, restorer, 0}; /* SA_NODEFER, ONSTACK, RESTORER, SIGINFO */
	struct { void *sp; int flags; size_t size; } stack = {alternate_stack, 0, sizeof alternate_stack};
	SYSTEM(__NR_sigaltstack, &stack, 0, 0, 0);
	for (size_t i = 0; i < sizeof signals; i++)
		if (SYSTEM(__NR_rt_sigaction, signals[i], &action, 0, 8))
			end(4);
}

static uint64_t random_state;

static uint64_t random_word(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void fill(void *to, size_t size)
{
	uint64_t *p = to;
	for (size_t i = 0; i < size / 8; i++)
		p[i] = random_word();
}

/* Vector registers with whole and broken numbers, small indices among them; x87 with all registers in use; now and then exceptions that trap. */
static void make_vectors(uint8_t *x)
{
	uint64_t *header = (uint64_t *)(x + LEGACY);
	fill(x, XSAVE_SIZE);
	for (int i = 0; i < 8; i++)
		x[32 + 16 * i + 9] = 0x3f | (x[32 + 16 * i + 9] & 0x80); /* exponents near zero: numbers */
	__builtin_memset(x, 0, 32);
	__builtin_memset(x + 160 + 16, 0, 16);              /* xmm1: indices */
	for (int i = 0; i < 16; i += 4)
		x[176 + i] = i * 16;
	*(uint16_t *)x = random_word() % 8 ? 0x37f : 0x340;     /* control word */
	*(uint16_t *)(x + 2) = (random_word() & 7) << 11;       /* status word: top */
	x[4] = random_word() % 3 ? 0 : 0xff;                 /* tags */
	*(uint32_t *)(x + 24) = random_word() % 8 ? 0x1f80 : 0x1000; /* mxcsr */
	for (int i = 0; i < 8; i++)
		header[i] = 0;
	header[0] = xsave_mask;
}

/* Registers: addresses in the data area, small numbers, and anything. What the generator relies on: r15 the data area's middle, r14 the fuel. */
static void make_state(void)
{
	random_state = ((uint64_t)fuzz_seed << 32) + current;
	fill(fuzz_data, DATA_SIZE);
	__builtin_memset(fuzz_stack + STACK_SIZE / 2, 0, STACK_SIZE / 2);
	make_vectors(initial.xsave);
	for (int i = 0; i < 16; i++) {
		uint64_t w = random_word();
		initial.r[i] = i == 1 || i == 9 || i == 10 ? (w & 3) * 64 : i & 1 || i == 6 ? (uint64_t)fuzz_data + 1024 + (w & 31) * 64 : w | 0xf0000000; /* cut to 32 bits, it points where nothing is */
	}
	initial.r[0] = initial.r[0] & 1 ? initial.r[0] : (uint64_t)fuzz_data + 1024;
	initial.r[4] = (uint64_t)fuzz_stack + STACK_SIZE - 4096;
	initial.r[14] = fuel;
	initial.r[15] = (uint64_t)fuzz_data + DATA_SIZE / 2;
	initial.flags = 0x202 | (random_word() & 0x8d5);
	uint64_t *words = (uint64_t *)initial.r[4];
	for (int i = 0; i < 64; i++)
		words[i] = i % 4 ? random_word() & 0x7fff8cd5 : (uint64_t)fuzz_data + 512;
}

static uint64_t enabled_features(void)
{
	uint32_t a, d;
	__asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	return ((uint64_t)d << 32 | a) & 0xe7;
}

static uint32_t parse(const char *text)
{
	uint32_t n = 0;
	for (; *text; text++)
		n = n * 10 + *text - '0';
	return n;
}

/* Arguments: first case, number of cases, fuel of each. */
__attribute__((used)) _Noreturn void runtime_start(const uint64_t *stack)
{
	uint64_t first_processor = 1;
	const char *const *argv = (const char *const *)stack + 1;
	uint32_t first = stack[0] > 1 ? parse(argv[1]) : 0, count = stack[0] > 2 ? parse(argv[2]) : fuzz_case_count - first;
	if (stack[0] > 3)
		fuel = parse(argv[3]);
	xsave_mask = enabled_features();
	SYSTEM(__NR_sched_setaffinity, 0, 8, &first_processor, 0);
	set_handlers();
	for (current = first; current < first + count && current < fuzz_case_count; current++) {
		faults = 0;
		make_state();
		enter_case(fuzz_code + fuzz_cases[current]);
	}
	flush();
	end(0);
}

void *memcpy(void *to, const void *from, size_t size)
{
	void *start = to;
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
	return start;
}

void *memset(void *to, int value, size_t size)
{
	void *start = to;
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
	return start;
}
