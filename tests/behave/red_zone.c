/* Leaf procedures keep values in the 128 bytes below the stack pointer, across branches, loops and signals.
 * build: -O2
 * build: -O2 -static
 */
#include "behave.h"
#include <signal.h>
#include <sys/time.h>

static volatile int handled;
static void handler(int signal) { handled++; }

/* Fills the whole red zone, loops and jumps, and sums it up again. */
long leaf(long seed, long rounds);
__asm__(".text\n.globl leaf\n.type leaf, @function\nleaf:\n.cfi_startproc\n"
	"mov $-128, %rcx\n1: mov %rdi, (%rsp,%rcx)\nadd $8, %rcx\njs 1b\n"
	"2: addq $1, -128(%rsp)\naddq $1, -8(%rsp)\naddq $1, -64(%rsp)\ndec %rsi\njnz 2b\n"
	"xor %eax, %eax\nmov $-128, %rcx\n3: add (%rsp,%rcx), %rax\nadd $8, %rcx\njs 3b\nret\n"
	".cfi_endproc\n.size leaf, . - leaf\n");

int main(void)
{
	struct itimerval timer = { { 0, 500 }, { 0, 500 } }, off = { { 0, 0 }, { 0, 0 } };

	signal(SIGALRM, handler);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (long i = 0; i < 3000 || handled < 20; i++)
		CHECK(leaf(i, 1000) == 16 * i + 3000);
	setitimer(ITIMER_REAL, &off, NULL);
	return passed();
}
