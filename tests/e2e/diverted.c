/* For diverted.py: diverted WAY. Control is led astray as an attack would; natively that gets it to taken(). What is computed here at run time is what an
 * attacker knows from studying a copy: nothing in the program takes the addresses. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

void holder(long), go_call(void *), go_jump(void *), go_frame(void *);
extern const int to_middle, to_gadget, to_shift;

__attribute__((used)) void taken(void)
{
	(void)!write(1, "taken\n", 6);
	_exit(7);
}

/* holder's middle calls taken. In the immediates: pop %rdi; ret, and a ret behind add $8, %rsp. */
__asm__(".text\n.globl holder, go_call, go_jump, go_frame\n"
	".type holder, @function\nholder: .cfi_startproc\npush %rbx\n.cfi_adjust_cfa_offset 8\n.cfi_offset %rbx, -16\n"
	"mov %rdi, %rbx\ntest %rdi, %rdi\nje middle\ngadget: mov $0x00c35f, %eax\nshift: mov $0x90c35858, %eax\nadd %rbx, %rax\npop %rbx\n"
	".cfi_remember_state\n.cfi_adjust_cfa_offset -8\nret\n.cfi_restore_state\n"
	"nop\nmiddle: and $-16, %rsp\nmov $1, %eax\ncall taken\nhlt\n.cfi_endproc\n.size holder, . - holder\n"
	".type go_call, @function\ngo_call: .cfi_startproc\nsub $8, %rsp\n.cfi_adjust_cfa_offset 8\ncall *%rdi\nadd $8, %rsp\n.cfi_adjust_cfa_offset -8\n"
	"ret\n.cfi_endproc\n.size go_call, . - go_call\n"
	".type go_jump, @function\ngo_jump: .cfi_startproc\nxor %eax, %eax\njmp *%rdi\n.cfi_endproc\n.size go_jump, . - go_jump\n"
	".type go_frame, @function\ngo_frame: .cfi_startproc\nmov %rdi, %rsp\nmov $15, %eax\nsyscall\nhlt\n.cfi_endproc\n.size go_frame, . - go_frame\n"
	".section .rodata\n.globl to_middle, to_gadget, to_shift\nto_middle: .long middle - holder\nto_gadget: .long gadget + 1 - holder\n"
	"to_shift: .long shift + 1 - holder\n.text\n");

static void *at(int distance)
{
	volatile long v = distance;
	return (char *)holder + v;
}

/* Returns to the first of the words, with the others behind it on the stack. */
__attribute__((noinline)) void smash(void *const *words, int count)
{
	volatile long room[8];
	for (int i = 0; i < count; i++)
		((void *volatile *)__builtin_frame_address(0))[1 + i] = words[i];
	room[0] = getppid() + count;
}

__attribute__((noinline)) void use(void *const *words, int count)
{
	volatile char room[256];
	room[0] = 0;
	smash(words, count);
}

static void by_return(void)
{
	use((void *[]){at(to_middle)}, 1);
}

/* Two gadgets in the middle of instructions, then an entry. */
static void by_chain(void)
{
	use((void *[]){at(to_gadget), (void *)1, at(to_shift), NULL, NULL, (void *)taken}, 6);
}

static void by_call(void)
{
	go_call(at(to_middle));
}

static void by_call_inside(void)
{
	go_call(at(to_gadget) - 4);
}

static void by_jump(void)
{
	go_jump(at(to_middle));
}

/* A signal frame that no signal has made. */
static void by_frame(void)
{
	static char stack[4096] __attribute__((aligned(16)));
	static ucontext_t c;
	getcontext(&c);
	c.uc_mcontext.gregs[REG_RIP] = (long)at(to_middle);
	c.uc_mcontext.gregs[REG_RSP] = (long)(stack + sizeof stack - 64);
	c.uc_mcontext.gregs[REG_CSGSFS] = 0x2b000000000033;
	c.uc_mcontext.fpregs = NULL;
	go_frame(&c);
}

/* mov $taken, %rax; jmp *%rax, in data that the program makes executable. */
static char code[4096] __attribute__((aligned(4096)));

static void by_data(void)
{
	void *target = (void *)taken;
	memcpy(code, "\x48\xb8", 2);
	memcpy(code + 2, &target, 8);
	memcpy(code + 10, "\xff\xe0", 2);
	if (mprotect(code, sizeof code, PROT_READ | PROT_WRITE | PROT_EXEC))
		fputs("refused\n", stderr);
	go_call(code);
}

static jmp_buf back;
static volatile int handled;

static void handler(int s)
{
	handled++;
	if (handled > 1)
		longjmp(back, 1);
}

static int order(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* What programs do. */
static void by_nothing(void)
{
	int n[] = {3, 1, 2};
	qsort(n, 3, sizeof *n, order);
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	if (!setjmp(back))
		raise(SIGUSR1);
	go_call((void *)getpid);
	go_jump((void *)getppid);
	holder(1);
}

static const struct { const char *name; void (*go)(void); } ways[] = {
	{"nothing", by_nothing}, {"return", by_return}, {"chain", by_chain}, {"call", by_call}, {"call-inside", by_call_inside}, {"jump", by_jump},
	{"frame", by_frame}, {"data", by_data},
};

int main(int argc, char **argv)
{
	for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++)
		if (argc > 1 && !strcmp(argv[1], ways[i].name))
			ways[i].go();
	puts("end");
	return 0;
}
