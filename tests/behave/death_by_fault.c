/* Death by what the processor or libc objects to: the same signal as natively, and nothing more on stderr.
 * build: -O2 -fno-delete-null-pointer-checks -Wno-infinite-recursion
 * run: read => SIGSEGV
 * run: write => SIGSEGV
 * run: text => SIGSEGV
 * run: jump => SIGSEGV
 * run: data => SIGSEGV
 * run: wild => SIGSEGV
 * run: stack => SIGSEGV
 * run: ud2 => SIGILL
 * run: int3 => SIGTRAP
 * run: divide => SIGFPE
 * run: privileged => SIGSEGV
 * run: beyond => SIGBUS
 * run: abort => SIGABRT
 * run: assert => SIGABRT
 */
#include "behave.h"
#include <assert.h>
#include <sys/mman.h>
#include <sys/resource.h>

static volatile int zero;
static unsigned char bytes[64] = { 0xc3 };

static int overflow(volatile char *above)
{
	volatile char here[4096];
	here[0] = above ? above[0] : 0;
	return overflow(here) + here[0];
}

static void beyond_the_file(void)
{
	FILE *f = tmpfile();
	char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(f), 0);
	zero = p[0];
}

static void do_read(void) { zero = *(volatile int *)8; }
static void do_write(void) { *(volatile int *)8 = 1; }
static void do_text(void) { *(volatile char *)(uintptr_t)do_read = 1; }
static void do_jump(void) { ((void (*)(void))(uintptr_t)zero)(); }
static void do_data(void) { ((void (*)(void))bytes)(); }
static void do_wild(void) { zero = *(volatile int *)0xdead00000000beef; }
static void do_stack(void) { zero = overflow(NULL); }
static void do_ud2(void) { __asm__ volatile("ud2"); }
static void do_int3(void) { __asm__ volatile("int3"); }
static void do_divide(void) { int q; __asm__ volatile("cltd; idivl %1" : "=a"(q) : "r"(zero), "a"(1) : "edx"); zero = q; }
static void do_privileged(void) { __asm__ volatile("hlt"); }
static void do_assert(void) { assert(zero == 1); }

static const struct { const char *name; void (*act)(void); } ways[] = {
	{ "read", do_read }, { "write", do_write }, { "text", do_text }, { "jump", do_jump }, { "data", do_data }, { "wild", do_wild },
	{ "stack", do_stack }, { "ud2", do_ud2 }, { "int3", do_int3 }, { "divide", do_divide }, { "privileged", do_privileged },
	{ "beyond", beyond_the_file }, { "abort", abort }, { "assert", do_assert },
};

int main(int argc, char **argv)
{
	struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	passed();
	for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++)
		if (!strcmp(ways[i].name, argv[1]))
			ways[i].act();
	return 1;
}
