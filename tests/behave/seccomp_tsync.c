/* A filter that one thread installs for all: they handle faults and signals in it, start threads, and install one of their own on top. */
#include "behave.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REFUSE(n, verdict) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, n, 0, 1), BPF_STMT(BPF_RET | BPF_K, verdict)
enum { THREADS = 6, ROUNDS = 50 };

static __thread jmp_buf back;
static pthread_barrier_t installed, begun;
static int faults, signals, refused;

static void on_fault(int signal)
{
	(void)signal;
	longjmp(back, 1);
}

static void on_signal(int signal)
{
	__atomic_add_fetch(&signals, signal == SIGUSR1, __ATOMIC_SEQ_CST);
}

static void filter(int number, unsigned verdict, unsigned flags)
{
	struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		REFUSE(number, verdict), REFUSE(SYS_sched_yield, SECCOMP_RET_KILL_PROCESS), REFUSE(SYS_getppid, SECCOMP_RET_KILL_PROCESS),
		REFUSE(SYS_kill, SECCOMP_RET_KILL_PROCESS), REFUSE(SYS_sigaltstack, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof instructions / sizeof *instructions, instructions };
	CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) == 0);
}

static void *inner(void *unused)
{
	(void)unused;
	__atomic_add_fetch(&refused, syscall(SYS_getpgid, 0) == -1 && errno == 77, __ATOMIC_SEQ_CST);
	raise(SIGUSR1);
	return NULL;
}

static void *thread(void *number)
{
	pthread_t t;
	pthread_barrier_wait(&begun);
	pthread_barrier_wait(&installed);
	for (int i = 0; i < ROUNDS; i++) {
		if (!setjmp(back))
			*(volatile int *)NULL = i;
		__atomic_add_fetch(&faults, 1, __ATOMIC_SEQ_CST);
		raise(SIGUSR1);
		__atomic_add_fetch(&refused, syscall(SYS_getpgid, 0) == -1 && errno == 77, __ATOMIC_SEQ_CST);
	}
	if (number)
		filter(SYS_getsid, SECCOMP_RET_ERRNO | 78, 0);
	CHECK((syscall(SYS_getsid, 0) == -1) == (number != NULL));
	CHECK(pthread_create(&t, NULL, inner, NULL) == 0);
	pthread_join(t, NULL);
	return NULL;
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
	pthread_t threads[THREADS];
	sigaction(SIGSEGV, &action, NULL);
	action.sa_handler = on_signal;
	sigaction(SIGUSR1, &action, NULL);
	pthread_barrier_init(&begun, NULL, THREADS + 1);
	pthread_barrier_init(&installed, NULL, THREADS + 1);
	for (long i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, thread, (void *)(i % 2)) == 0);
	pthread_barrier_wait(&begun);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	filter(SYS_getpgid, SECCOMP_RET_ERRNO | 77, SECCOMP_FILTER_FLAG_TSYNC);
	pthread_barrier_wait(&installed);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("faults %d, signals %d, refused %d\n", faults, signals, refused);
	return passed();
}
