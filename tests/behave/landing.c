/* The landing test: control comes, by addresses computed at run time, to every instruction of procedures whose instructions are one to five
 * bytes long; in front of, right behind and far behind calls; from this program, from other assembly procedures by jump, call and return,
 * from generated code (which always runs natively) and from a signal handler. Each procedure counts how many of its instructions ran.
 *
 * A procedure of width W is   GROUP instructions, call mark, GROUP instructions, call mark, call mark, GROUP instructions, ret
 * and every instruction of the groups adds one to the count. Whatever was entered, the count tells exactly from where.
 *
 * build: -O2
 * build: -O2 -DWITH_CFI
 * build: -O2 -static
 * build: -O2 -no-pie -fno-pie -DWITH_CFI
 * run: call
 * run: jump
 * run: return
 * run: generated
 * run: handler
 * run: random
 * time: 120
 * modes: -shadow -firewall -strict
 *
 * (To enter a procedure in its middle by a call, and return from it, is what the shadow monitor is there to catch.)
 */
#include "behave.h"
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { WIDTHS = 5, GROUP = 16, GROUPS = 3, CALL_SIZE = 5 };

#ifdef WITH_CFI
#define START(name) ".globl " name "\n.type " name ", @function\n" name ":\n.cfi_startproc\n"
#define END(name) ".cfi_endproc\n.size " name ", . - " name "\n"
#else
#define START(name) ".globl " name "\n" name ":\n"
#define END(name) ""
#endif
#define TIMES(instruction) ".rept 16\n" instruction "\n.endr\n"
/* `mark` leaves its trace in rdx; one-byte instructions count in rsi. */
#define PROCEDURE(name, i) START(name) TIMES(i) "call mark\n" TIMES(i) "call mark\ncall mark\n" TIMES(i) "ret\n" END(name)

extern const char width1[], width2[], width3[], width4[], width5[];
__asm__(".text\n.p2align 4\n"
	START("mark") "inc %rdx\nret\n" END("mark")
	PROCEDURE("width1", "lodsb")                        /* 1 byte:  counts in rsi (loads zeroes from a buffer) */
	PROCEDURE("width2", ".byte 0xff, 0xc0")             /* 2 bytes: inc %eax */
	PROCEDURE("width3", ".byte 0x83, 0xc0, 0x01")       /* 3 bytes: add $1, %eax */
	PROCEDURE("width4", ".byte 0x48, 0x83, 0xc0, 0x01") /* 4 bytes: add $1, %rax */
	PROCEDURE("width5", ".byte 0x05, 1, 0, 0, 0")       /* 5 bytes: add $1, %eax */
	/* long enter(target, buffer, *marks): rax = 0, rsi = buffer; calls the target; returns what it counted */
	START("by_call") "push %rbx\npush %rsi\npush %rdx\nmov %rdi, %rbx\nxor %edx, %edx\nxor %eax, %eax\ncall *%rbx\njmp collect\n" END("by_call")
	START("by_jump") "push %rbx\npush %rsi\npush %rdx\nmov %rdi, %rbx\nxor %edx, %edx\nxor %eax, %eax\ncall 1f\njmp collect\n1: jmp *%rbx\n" END("by_jump")
	START("by_return") "push %rbx\npush %rsi\npush %rdx\nmov %rdi, %rbx\nxor %edx, %edx\nxor %eax, %eax\ncall 2f\njmp collect\n2: push %rbx\nret\n" END("by_return")
	START("by_trap") "push %rbx\npush %rsi\npush %rdx\nmov %rdi, %rbx\nxor %edx, %edx\nxor %eax, %eax\ncall 3f\njmp collect\n3: ud2\n" END("by_trap")
	/* Through generated code: r10 holds the address of "jmp *%rbx" in an anonymous mapping. */
	START("by_generated") "push %rbx\npush %rsi\npush %rdx\nmov %rdi, %rbx\nmov %rcx, %r10\nxor %edx, %edx\nxor %eax, %eax\ncall *%r10\njmp collect\n" END("by_generated")
	/* The width-1 procedures loaded zeroes into al: rax counts in the others, rsi - buffer in those. */
	START("collect") "pop %rcx\nmov %rdx, (%rcx)\npop %rcx\nsub %rcx, %rsi\nadd %rsi, %rax\npop %rbx\nret\n" END("collect"));

typedef long entrance(const void *target, const char *buffer, long *marks, const void *stub);
entrance by_call, by_jump, by_return, by_trap, by_generated;

static const char *const procedures[WIDTHS] = { width1, width2, width3, width4, width5 };
static const char buffer[GROUP * GROUPS + 1];
static const void *stub;

static void handler(int signal, siginfo_t *info, void *p)
{
	greg_t *r = ((ucontext_t *)p)->uc_mcontext.gregs;
	r[REG_RIP] = r[REG_RBX];
}

/* Enter the procedure of that width at instruction `index` (0 .. GROUP * GROUPS - 1) and see that exactly the rest of it ran. */
static void enter(entrance *by, int width, int index)
{
	static const int calls_before[GROUPS] = { 0, 1, 3 };
	int group = index / GROUP;
	long marks = -1, count = by(procedures[width - 1] + index * width + calls_before[group] * CALL_SIZE, buffer, &marks, stub);

	if (count != GROUP * GROUPS - index || marks != 3 - calls_before[group]) {
		printf("width %d instruction %d: counted %ld, marks %ld\n", width, index, count, marks);
		exit(99);
	}
}

/* Also the second of the two calls that stand side by side is a place to come to. */
static void enter_between_calls(entrance *by, int width)
{
	long marks = -1, count = by(procedures[width - 1] + 2 * GROUP * width + 2 * CALL_SIZE, buffer, &marks, stub);

	CHECK(count == GROUP && marks == 1);
}

static void forwards_and_backwards(entrance *by)
{
	for (int round = 0; round < 3; round++)
		for (int width = 1; width <= WIDTHS; width++) {
			for (int i = 0; i < GROUP * GROUPS; i++)
				enter(by, width, i);
			enter_between_calls(by, width);
			for (int i = GROUP * GROUPS; i-- > 0;)
				enter(by, width, i);
		}
}

static void at_random(entrance *unused)
{
	static entrance *const all[] = { by_call, by_jump, by_return, by_generated, by_trap };
	uint32_t x = 12345;

	for (int i = 0; i < 20000; i++) {
		x = x * 1664525 + 1013904223;
		enter(all[(x >> 8) % 5], 1 + (x >> 12) % WIDTHS, (x >> 16) % (GROUP * GROUPS));
	}
}

static const struct { const char *name; void (*order)(entrance *); entrance *by; } ways[] = {
	{ "call", forwards_and_backwards, by_call }, { "jump", forwards_and_backwards, by_jump }, { "return", forwards_and_backwards, by_return },
	{ "generated", forwards_and_backwards, by_generated }, { "handler", forwards_and_backwards, by_trap }, { "random", at_random, NULL },
};

int main(int argc, char **argv)
{
	static const unsigned char jump[] = { 0xff, 0xe3 }; /* jmp *%rbx */
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	unsigned char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(page, jump, sizeof jump);
	stub = page;
	sigaction(SIGILL, &a, NULL);
	for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++)
		if (!strcmp(argv[1], ways[i].name)) {
			ways[i].order(ways[i].by);
			return passed();
		}
	return 1;
}
