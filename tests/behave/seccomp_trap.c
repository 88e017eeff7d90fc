/* A filter that traps: the program's SIGSYS handler sees which system call it was and where, in its own code, and says what it returns. */
#include "behave.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define TRAP(n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, n, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP | 5)

extern const char behind_call[], behind_mask[];
long call(long number, long a, long b, long c, long d);
__asm__(".globl call, behind_call\n.type call, @function\ncall: .cfi_startproc\n"
	"mov %rdi, %rax; mov %rsi, %rdi; mov %rdx, %rsi; mov %rcx, %rdx; mov %r8, %r10; syscall\n"
	"behind_call: ret\n.cfi_endproc\n.size call, .-call\n");
long mask(long how, const void *set, void *old, long size);
__asm__(".globl mask, behind_mask\n.type mask, @function\nmask: .cfi_startproc\n"
	"mov %rcx, %r10; mov $14, %eax; syscall\n"
	"behind_mask: ret\n.cfi_endproc\n.size mask, .-mask\n");

static volatile int traps;

static void on_trap(int signal, siginfo_t *info, void *context)
{
	ucontext_t *c = context;
	greg_t *r = c->uc_mcontext.gregs;
	traps++;
	CHECK(signal == SIGSYS && info->si_code == 1);
	printf("trap: call %d, data %d, rax %lld, rdi %lld, at %s, %s\n", info->si_syscall, info->si_errno, (long long)r[REG_RAX],
	       info->si_syscall == SYS_rt_sigprocmask ? (long long)r[REG_RDI] : 0, info->si_call_addr == behind_call ? "call" : info->si_call_addr == behind_mask ? "mask" : "?",
	       (void *)r[REG_RIP] == info->si_call_addr ? "as the context" : "elsewhere");
	r[REG_RAX] = info->si_syscall == SYS_getppid ? 4711 : 0;
}

int main(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		TRAP(SYS_getppid), TRAP(SYS_rt_sigprocmask), TRAP(SYS_gettid), TRAP(SYS_futex),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
	struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
	unsigned long set = 1ul << (SIGUSR1 - 1), old = 99;
	CHECK(sigaction(SIGSYS, &action, NULL) == 0);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
	printf("%ld\n", call(SYS_getppid, 0, 0, 0, 0));
	printf("%ld\n", mask(SIG_BLOCK, &set, &old, 8));
	printf("old %lu\n", old);
	printf("%ld, %d traps\n", call(SYS_rt_sigprocmask, SIG_BLOCK, (long)&set, (long)&old, 8), traps);
	printf("old %lu\n", old);
	printf("%s\n", call(SYS_getpid, 0, 0, 0, 0) == getpid() ? "getpid" : "?");
	return passed();
}
