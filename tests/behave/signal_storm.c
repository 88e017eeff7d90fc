/* A 10 kHz timer goes off everywhere: in computation, in libc, in system calls, in threads that come and go, in forked children; handlers unwind the
 * stack, jump out, and take signals of their own.
 * build: -O2 -fno-optimize-sibling-calls
 */
#include "behave.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unwind.h>

static volatile long ticks, complete;
static uintptr_t main_start;
static __thread sigjmp_buf back;
static __thread volatile sig_atomic_t may_jump;
int main(void);

static _Unwind_Reason_Code frame(struct _Unwind_Context *context, void *found)
{
	if ((uintptr_t)_Unwind_FindEnclosingFunction((void *)(_Unwind_GetIP(context) - 1)) == main_start)
		*(int *)found = 1;
	return _URC_NO_REASON;
}

static void tick(int signal)
{
	int found = 0;

	if (++ticks % 8 == 0) {
		_Unwind_Backtrace(frame, &found);
		complete += found;
	}
	if (may_jump && ticks % 3 == 0) {
		may_jump = 0;
		siglongjmp(back, 1);
	}
}

static __attribute__((noinline)) unsigned compute(unsigned n)
{
	unsigned a = 1;

	for (unsigned i = 0; i < n; i++)
		a = a * 1103515245 + (a >> 7) + i;
	return a;
}

static void *in_thread(void *p)
{
	char text[64];

	snprintf(text, sizeof text, "%p %d", p, 12);
	return (void *)(uintptr_t)compute(1000);
}

static void jump_about(void)
{
	static volatile unsigned sum;

	if (!sigsetjmp(back, 1)) {
		may_jump = 1;
		for (int i = 0; i < 2000 && may_jump; i++)
			sum += compute(100);
	}
	may_jump = 0;
}

static void threads_and_children(unsigned expected)
{
	pthread_t thread[4];
	void *result;
	int status;
	pid_t pid;

	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&thread[i], NULL, in_thread, NULL) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(thread[i], &result) == 0 && (unsigned)(uintptr_t)result == expected);
	if (!(pid = fork()))
		_exit(compute(1000) == expected ? 3 : 4);
	while (waitpid(pid, &status, 0) < 0)
		CHECK(errno == EINTR);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

int main(void)
{
	struct sigaction a = { .sa_handler = tick, .sa_flags = SA_RESTART };
	struct itimerval timer = { { 0, 100 }, { 0, 100 } }, off = { { 0, 0 }, { 0, 0 } };
	unsigned expected = compute(1000);

	main_start = (uintptr_t)main;
	sigaction(SIGALRM, &a, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (int i = 0; i < 60; i++) {
		threads_and_children(expected);
		jump_about();
		usleep(300);
	}
	setitimer(ITIMER_REAL, &off, NULL);
	CHECK(ticks > 100 && complete > 0);
	return passed();
}
