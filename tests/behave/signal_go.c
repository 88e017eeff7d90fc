/* What Go's runtime does with signals: handlers on alternate stacks in every thread; a fault becomes a call of a procedure, as if the faulting
 * instruction had made it; and SIGURG at any moment, whose handler injects a call of a procedure that saves all registers and returns to where the thread was.
 * build: -O2
 * build: -O2 -static
 * time: 60
 * also: flip probed budget
 */
#include "behave.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

enum { THREADS = 4, PREEMPTIONS = 400 };

void async_preempt(void);
volatile long preempted;
__asm__(".text\n.globl async_preempt\n.type async_preempt, @function\nasync_preempt:\n"
	"pushfq\npush %rax\npush %rcx\npush %rdx\npush %rsi\npush %rdi\nlock incq preempted(%rip)\n"
	"mov $24, %eax\nsyscall\n" /* sched_yield; rcx and r11 are lost */
	"pop %rdi\npop %rsi\npop %rdx\npop %rcx\npop %rax\npopfq\nret\n.size async_preempt, . - async_preempt\n");

static volatile int ending;
static __thread sigjmp_buf back;
static __thread volatile int may_be_preempted;

static __attribute__((noinline)) void panic_memory(void) { siglongjmp(back, 1); }
static __attribute__((noinline)) void panic_divide(void) { siglongjmp(back, 2); }

static void inject(ucontext_t *u, void (*procedure)(void), int below)
{
	greg_t *r = u->uc_mcontext.gregs;

	r[REG_RSP] -= below + 8;
	*(greg_t *)r[REG_RSP] = r[REG_RIP];
	r[REG_RIP] = (greg_t)procedure;
}

static void on_fault(int signal, siginfo_t *info, void *p) { inject(p, signal == SIGSEGV ? panic_memory : panic_divide, 128); }

extern const char spin_start[], spin_end[];
unsigned long spin(unsigned long n);
/* No red zone, no use of r11 and rcx: like code compiled to be preempted anywhere. */
__asm__(".text\n.globl spin\n.type spin, @function\nspin:\n.cfi_startproc\nmov $1, %eax\nspin_start:\n"
	"1: imul $1103515245, %rax, %rax\nadd $12345, %rax\ntest $64, %eax\nje 2f\nxor $0x55, %rax\njmp 3f\n2: lea 7(%rax,%rax,2), %rax\n3: mov %rax, %rdx\n"
	"shr $13, %rdx\nxor %rdx, %rax\npush %rax\nmov (%rsp), %rsi\nadd $8, %rsp\nadd %rsi, %rax\ndec %rdi\njnz 1b\nspin_end: nop\nret\n"
	".cfi_endproc\n.size spin, . - spin\n");

static void on_urgent(int signal, siginfo_t *info, void *p)
{
	const char *rip = (const char *)((ucontext_t *)p)->uc_mcontext.gregs[REG_RIP];

	if (rip >= spin_start && rip < spin_end)
		inject(p, async_preempt, 0);
}

static void *work(void *p)
{
	static char stacks[THREADS][65536];
	stack_t alternate = { .ss_sp = stacks[(long)p], .ss_size = 65536 };
	volatile int zero = 0;
	int *volatile null = NULL;
	unsigned long expected = spin(20000);
	volatile long rounds = 0, panics = 0;

	CHECK(sigaltstack(&alternate, NULL) == 0);
	while (!ending) {
		CHECK(spin(20000) == expected);
		int got = sigsetjmp(back, 1);
		if (!got && rounds % 2)
			*null = 1;
		else if (!got)
			zero = 1000 / zero;
		CHECK(got == 2 - rounds % 2);
		rounds++;
		panics++;
	}
	CHECK(rounds == panics);
	return (void *)expected;
}

int main(void)
{
	struct sigaction a = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
	pthread_t thread[THREADS];
	void *result;

	sigfillset(&a.sa_mask);
	sigaction(SIGSEGV, &a, NULL);
	sigaction(SIGFPE, &a, NULL);
	a.sa_sigaction = on_urgent;
	sigaction(SIGURG, &a, NULL);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, work, (void *)i);
	while (preempted < PREEMPTIONS) {
		for (int i = 0; i < THREADS; i++)
			pthread_kill(thread[i], SIGURG);
		usleep(100);
	}
	ending = 1;
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &result);
		printf("%lx\n", (unsigned long)result);
	}
	return passed();
}
