#include "base/crash.h"

#include <execinfo.h>
#include <signal.h>
#include <stdlib.h>

#include "base/log.h"

enum { STACK_SIZE = 64 << 10, FRAMES = 32 };

/* The signal comes again when the handler, which is in place once, has returned: by the instruction, or by abort(). */
static void on_crash(int signal, siginfo_t *info, void *context)
{
	void *frames[FRAMES];
	log_error("the supervisor crashes: signal %d, address %p", signal, info->si_addr);
	backtrace_symbols_fd(frames, backtrace(frames, FRAMES), log_descriptor());
}

void crash_log_arm(void)
{
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
	stack_t stack = {.ss_sp = malloc(STACK_SIZE), .ss_size = STACK_SIZE};
	void *frame;
	backtrace(&frame, 1); /* loads what it needs */
	if (stack.ss_sp)
		sigaltstack(&stack, NULL);
	for (unsigned i = 0; i < sizeof fatal / sizeof *fatal; i++) {
		struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_RESETHAND | SA_ONSTACK}, before;
		if (!sigaction(fatal[i], NULL, &before) && before.sa_handler == SIG_DFL)
			sigaction(fatal[i], &action, NULL);
	}
}
