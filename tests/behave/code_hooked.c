/* A program changes its own text as hooking libraries and tracers do: it reads a procedure's first instructions, moves them to a trampoline, writes a jump over them
 * and later puts them back; toggles a five-byte nop and a call; and overwrites a whole procedure. Each with pages made writable for the while.
 * build: -O2
 * build: -O2 -no-pie -fno-pie
 * build: -O2 -static
 */
#include "behave.h"
#include <sys/mman.h>

typedef long procedure(long);
procedure hooked, toggled, rewritten, counting;
extern const char hooked_end[], toggle_site[], rewritten_end[];
long count;
__asm__(".text\n"
#define P(name) ".p2align 4\n.globl " #name "\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n"
#define E(name) ".cfi_endproc\n.size " #name ", . - " #name "\n"
	P(hooked) "endbr64\npush %rbx\nmov %rdi, %rbx\nlea 7(%rdi,%rdi), %rdi\nhooked_end: call counting\nadd %rbx, %rax\npop %rbx\nret\n" E(hooked)
	P(counting) "incq count(%rip)\nlea 1(%rdi), %rax\nret\n" E(counting)
	P(toggled) "sub $8, %rsp\ntoggle_site: .byte 0x0f, 0x1f, 0x44, 0, 0\nlea 3(%rdi), %rax\nadd $8, %rsp\nret\n" E(toggled)
	P(rewritten) "mov %rdi, %rax\nadd $1, %rax\nadd $2, %rax\nadd $3, %rax\nadd $4, %rax\nret\nrewritten_end:\n" E(rewritten));

static long replacement(long n) { return -n; }

static void protect(const void *at, int protection)
{
	CHECK(mprotect((char *)((uintptr_t)at & ~4095ul), 8192, protection) == 0);
}

static void write_text(const void *at, const void *bytes, size_t size)
{
	protect(at, PROT_READ | PROT_WRITE | PROT_EXEC);
	memcpy((void *)at, bytes, size);
	protect(at, PROT_READ | PROT_EXEC);
}

static void jump_to(unsigned char code[14], const void *target)
{
	static const unsigned char jump[6] = { 0xff, 0x25, 0, 0, 0, 0 }; /* jmp *0(%rip) */

	memcpy(code, jump, 6);
	memcpy(code + 6, &target, 8);
}

/* The bytes it reads must be the ones it was built with, not those of a hook by someone else. */
static void hook(void)
{
	static const unsigned char expected[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0x53, 0x48, 0x89, 0xfb, 0x48, 0x8d, 0x7c, 0x3f, 0x07 };
	unsigned char saved[14], code[32], *trampoline = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t size = hooked_end - (const char *)hooked;
	long sum = 0;

	CHECK(size == sizeof expected);
	for (int i = 0; i < 100; i++) {
		sum += hooked(i);
		CHECK(hooked(i) == 3 * i + 8);
		protect(hooked_end, PROT_READ | PROT_WRITE | PROT_EXEC);
		memcpy(saved, (const void *)hooked, 14);
		CHECK(!memcmp(saved, expected, size));
		memcpy(trampoline, saved, size);
		jump_to(trampoline + size, hooked_end);
		jump_to(code, replacement);
		write_text((const void *)hooked, code, 13 + 1);
		/* The byte behind the moved instructions is the call's opcode: the trampoline does the call itself. */
		CHECK(hooked(i) == -i);
		write_text((const void *)hooked, saved, 14);
		CHECK(hooked(i) == 3 * i + 8 && ((procedure *)trampoline)(i) == 3 * i + 8);
	}
	printf("hooked: %ld\n", sum);
}

static void toggle(void)
{
	static const unsigned char nop[5] = { 0x0f, 0x1f, 0x44, 0, 0 };
	unsigned char call[5] = { 0xe8 };
	int32_t distance = (int32_t)((const char *)counting - (toggle_site + 5));

	memcpy(call + 1, &distance, 4);
	count = 0;
	for (int i = 0; i < 100; i++) {
		CHECK(toggled(i) == i + 3);
		write_text(toggle_site, call, 5);
		CHECK(toggled(i) == i + 3);
		write_text(toggle_site, nop, 5);
	}
	printf("toggled: %ld\n", count);
}

/* Instruction n of the procedure: add $n, %rax, n + 1 times. */
static void rewrite(void)
{
	unsigned char code[32];
	size_t size = rewritten_end - (const char *)rewritten;
	long sum = 0;

	for (int i = 0; i < 60; i++) {
		protect(rewritten_end, PROT_READ | PROT_WRITE | PROT_EXEC);
		memcpy(code, (const void *)rewritten, size);
		for (int n = 0; n < 4; n++)
			code[3 + 4 * n + 3] = i + n;
		write_text((const void *)rewritten, code, size);
		CHECK(rewritten(1000) == 1000 + 4 * i + 6);
		sum += rewritten(i);
	}
	printf("rewritten: %ld\n", sum);
}

int main(void)
{
	hook();
	toggle();
	rewrite();
	return passed();
}
