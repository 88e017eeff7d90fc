/* Crash reporters: handlers of every fatal signal on an alternate stack that say what happened, with a backtrace, and then let the process die as it would have:
 * by returning with the default action restored, by raising it again, with SA_RESETHAND, from a forked child's report, by abort().
 * build: -O2 -fno-optimize-sibling-calls -rdynamic
 * build: -O2 -fno-optimize-sibling-calls -static
 * token: none
 * run: return SIGSEGV => SIGSEGV
 * run: return SIGFPE => SIGFPE
 * run: return SIGILL => SIGILL
 * run: return SIGBUS => SIGBUS
 * run: return SIGTRAP => SIGTRAP
 * run: raise SIGSEGV => SIGSEGV
 * run: raise SIGABRT => SIGABRT
 * run: reset SIGSEGV => SIGSEGV
 * run: fork SIGSEGV => SIGSEGV
 * run: chain SIGFPE => SIGFPE
 * run: thread SIGSEGV => SIGSEGV
 * run: exit SIGSEGV => exit 3
 * run: smashed SIGSEGV => SIGSEGV
 */
#include "behave.h"
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

static const struct { const char *name; int signal; } signals[] = {
	{ "SIGSEGV", SIGSEGV }, { "SIGFPE", SIGFPE }, { "SIGILL", SIGILL }, { "SIGBUS", SIGBUS }, { "SIGTRAP", SIGTRAP }, { "SIGABRT", SIGABRT },
};
static const char *way;
static volatile int zero, sink;
static struct sigaction former[65];

__attribute__((noinline)) static int crash(int signal)
{
	static FILE *file;

	switch (signal) {
	case SIGSEGV: sink = *(volatile int *)(uintptr_t)(zero + 16); break;
	case SIGFPE: sink = 1000 / zero; break;
	case SIGILL: __asm__ volatile("ud2"); break;
	case SIGTRAP: __asm__ volatile("int3"); break;
	case SIGBUS:
		file = tmpfile();
		sink = *(volatile int *)mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(file), 0);
		break;
	default: abort();
	}
	return sink + 1;
}
__attribute__((noinline)) static int middle(int signal) { return crash(signal) + 1; }
__attribute__((noinline)) static int outer(int signal) { return middle(signal) + 1; }

static const struct { const char *name; uintptr_t start; } procedures[] = {
	{ "crash", (uintptr_t)crash }, { "middle", (uintptr_t)middle }, { "outer", (uintptr_t)outer },
};

static _Unwind_Reason_Code frame(struct _Unwind_Context *context, void *unused)
{
	int before;
	uintptr_t ip = _Unwind_GetIPInfo(context, &before), entry = (uintptr_t)_Unwind_FindEnclosingFunction((void *)(ip - !before));

	for (unsigned i = 0; i < sizeof procedures / sizeof *procedures; i++)
		if (procedures[i].start == entry)
			printf(" %s+%#lx", procedures[i].name, (unsigned long)(ip - entry));
	return _URC_NO_REASON;
}

static void report(int signal, siginfo_t *info, void *p)
{
	void *frames[50];
	ucontext_t *u = p;
	uintptr_t rip = u->uc_mcontext.gregs[REG_RIP];

	printf("signal %d code %d at", signal, info->si_code);
	if (rip >= (uintptr_t)crash && rip < (uintptr_t)crash + 400)
		printf(" crash+%#lx", (unsigned long)(rip - (uintptr_t)crash));
	printf(" by");
	_Unwind_Backtrace(frame, NULL);
	printf("; enough frames: %d\n", backtrace(frames, 50) >= 4);
	fflush(stdout);
}

static void set(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | flags };

	CHECK(sigaction(number, &a, &former[number]) == 0);
}

static void handler(int number, siginfo_t *info, void *p)
{
	int status;

	if (!strcmp(way, "fork")) {
		pid_t pid = fork();
		if (!pid) {
			report(number, info, p);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		CHECK(status == 0);
	} else {
		report(number, info, p);
	}
	if (!strcmp(way, "exit"))
		_exit(3);
	if (!strcmp(way, "chain"))
		CHECK(former[number].sa_handler == SIG_DFL && sigaction(number, &former[number], NULL) == 0);
	else if (strcmp(way, "reset"))
		signal(number, SIG_DFL);
	if (!strcmp(way, "raise") || number == SIGTRAP)
		raise(number);
}

static void *in_thread(void *signal)
{
	static char stack[65536];
	stack_t s = { .ss_sp = stack, .ss_size = sizeof stack };

	sigaltstack(&s, NULL);
	sink = outer((int)(long)signal);
	return NULL;
}

/* The stack pointer leads nowhere: only the alternate stack is left. */
static void smash(void)
{
	__asm__ volatile("mov $64, %rsp\npush %rax");
	__builtin_unreachable();
}

static void tell(int number, siginfo_t *info, void *p)
{
	printf("signal %d, stack pointer %lld, address %p\n", number, ((ucontext_t *)p)->uc_mcontext.gregs[REG_RSP], info->si_addr);
	fflush(stdout);
	signal(number, SIG_DFL);
}

int main(int argc, char **argv)
{
	static char stack[65536];
	stack_t s = { .ss_sp = stack, .ss_size = sizeof stack };
	void *warm[2];
	int number = 0;
	pthread_t thread;

	way = argv[1];
	backtrace(warm, 2);
	sigaltstack(&s, NULL);
	for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
		set(signals[i].signal, strcmp(way, "smashed") ? handler : tell, !strcmp(way, "reset") ? (int)SA_RESETHAND : 0);
		if (!strcmp(argv[2], signals[i].name))
			number = signals[i].signal;
	}
	if (!strcmp(way, "smashed"))
		smash();
	if (!strcmp(way, "thread")) {
		pthread_create(&thread, NULL, in_thread, (void *)(long)number);
		pthread_join(thread, NULL);
	}
	return outer(number);
}
