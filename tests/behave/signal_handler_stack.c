/* Handlers run on the stack they would natively: on the thread's own where no alternate stack is set, whatever SA_ONSTACK says; contexts and sigaltstack show
 * the program's settings, in every thread and in a forked child. */
#include "behave.h"
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static __thread uintptr_t low, high;
static __thread int outside, shown;

static void handler(int signal, siginfo_t *info, void *p)
{
	ucontext_t *context = p;
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	outside += here < low || here > high;
	shown += context->uc_stack.ss_sp || context->uc_stack.ss_size; /* the flags are 0 or SS_DISABLE there */
}

static void *try(void *unused)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	stack_t set = { 0 };

	low = here - 60000;
	high = here + 60000;
	outside = shown = 0;
	for (int i = 0; i < 3; i++) {
		raise(SIGUSR1);
		raise(SIGUSR2);
		raise(SIGTRAP);
		raise(SIGSEGV);
		__asm__ volatile("int3");
		CHECK(sigaltstack(NULL, &set) == 0 && set.ss_flags == SS_DISABLE && !set.ss_sp && !set.ss_size);
		CHECK(sigaltstack(&set, NULL) == 0);
	}
	CHECK(outside == 0 && shown == 0);
	set = (stack_t){ .ss_sp = malloc(SIGSTKSZ), .ss_size = 100 };
	CHECK(sigaltstack(&set, NULL) == -1 && errno == ENOMEM);
	set = (stack_t){ .ss_sp = malloc(SIGSTKSZ), .ss_size = SIGSTKSZ, .ss_flags = 77 };
	CHECK(sigaltstack(&set, NULL) == -1 && errno == EINVAL);
	return NULL;
}

int main(void)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK }, b = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO }, now;
	pthread_t thread;
	int status;

	sigaction(SIGUSR1, &a, NULL);
	sigaction(SIGTRAP, &a, NULL);
	sigaction(SIGUSR2, &b, NULL);
	sigaction(SIGSEGV, &b, NULL);
	CHECK(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_flags & SA_ONSTACK && now.sa_sigaction == handler);
	CHECK(sigaction(SIGUSR2, NULL, &now) == 0 && !(now.sa_flags & SA_ONSTACK) && now.sa_sigaction == handler);
	try(NULL);
	pthread_create(&thread, NULL, try, NULL);
	pthread_join(thread, NULL);
	if (!fork()) {
		try(NULL);
		_exit(5);
	}
	wait(&status);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	return passed();
}
