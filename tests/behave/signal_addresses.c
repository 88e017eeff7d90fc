/* Whatever a handler is told are the program's own addresses: si_addr and the context of faults of all kinds, of jumps to nowhere, of sent signals; and
 * the return addresses that the processor pushed.
 * build: -O2
 * build: -O2 -no-pie -fno-pie
 * build: -O2 -static
 */
#include "behave.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

extern const char null_at[], div_at[], ud_at[], trap_at[], write_at[], priv_at[], bad_at[], call_at[], call_next[], step_at[];
typedef void fault(void *);
fault null_read, division, undefined, trap, write_text, privileged, non_canonical, call_nowhere, icebp;
__asm__(".text\n"
#define P(name) ".globl " #name "\n.type " #name ", @function\n" #name ":\n.cfi_startproc\nnop\nnop\nnop\nxor %ecx, %ecx\n"
#define E(name) "ret\n.cfi_endproc\n.size " #name ", . - " #name "\n"
	P(null_read) "null_at: mov 8(%rcx), %rdx\n" E(null_read)
	P(division) "mov $1, %eax\ncltd\ndiv_at: idiv %ecx\n" E(division)
	P(undefined) "ud_at: ud2\n" E(undefined)
	P(trap) "int3\ntrap_at: nop\n" E(trap)
	P(write_text) "write_at: movb $0, (%rdi)\n" E(write_text)
	P(privileged) "priv_at: hlt\n" E(privileged)
	P(non_canonical) "mov $0x8000000000000000, %rdx\nbad_at: mov (%rdx), %rax\n" E(non_canonical)
	P(call_nowhere) "push %rbx\nmov $0x1230, %ecx\ncall_at: call *%rcx\ncall_next: pop %rbx\n" E(call_nowhere)
	P(icebp) "step_at: .byte 0xf1\nnop\n" E(icebp));

static sigjmp_buf back;
static struct { int signal, code; void *address, *rip; uint64_t pushed; long error, trap; } seen;

static void handler(int signal, siginfo_t *info, void *p)
{
	ucontext_t *u = p;
	greg_t *r = u->uc_mcontext.gregs;

	seen.signal = signal;
	seen.code = info->si_code;
	seen.address = info->si_addr;
	seen.rip = (void *)r[REG_RIP];
	seen.pushed = *(uint64_t *)r[REG_RSP];
	seen.trap = r[REG_TRAPNO];
	seen.error = r[REG_ERR];
	siglongjmp(back, 1);
}

static const char *name(const void *p)
{
	static const struct { const void *at; const char *name; } names[] = {
		{ NULL, "0" }, { (void *)8, "8" }, { (void *)0x1230, "nowhere" }, { null_at, "null_at" }, { div_at, "div_at" }, { ud_at, "ud_at" },
		{ trap_at, "trap_at" }, { write_at, "write_at" }, { priv_at, "priv_at" }, { bad_at, "bad_at" }, { call_at, "call_at" },
		{ call_next, "call_next" }, { step_at, "step_at" }, { step_at + 1, "step_at + 1" }, { name, "name" },
	};

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].at == p)
			return names[i].name;
	return "elsewhere";
}

static void show(const char *what, fault *f, void *argument)
{
	for (int i = 0; i < 3; i++) {
		if (!sigsetjmp(back, 1))
			f(argument);
		printf("%s: signal %d code %d address %s rip %s trap %ld error %ld%s\n", what, seen.signal, seen.code, name(seen.address), name(seen.rip),
		       seen.trap, seen.error, f == call_nowhere ? name((void *)seen.pushed) : "");
	}
}

int main(void)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	FILE *file = tmpfile();
	void *beyond = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);

	for (int i = 0; i < 5; i++)
		sigaction(signals[i], &a, NULL);
	show("null", null_read, NULL);
	show("division", division, NULL);
	show("undefined", undefined, NULL);
	show("trap", trap, NULL);
	show("text", write_text, (void *)name);
	show("privileged", privileged, NULL);
	show("non-canonical", non_canonical, NULL);
	show("nowhere", call_nowhere, NULL);
	show("icebp", icebp, NULL);
	seen.address = NULL;
	if (!sigsetjmp(back, 1))
		write_text(beyond);
	CHECK(seen.signal == SIGBUS && seen.code == BUS_ADRERR && seen.address == beyond && seen.rip == write_at);
	return passed();
}
