/* Exceptions where things meet: through qsort and other C frames, out of coroutines' stacks (makecontext), across setjmp, in destructors, nested, rethrown in another
 * thread, from signal handlers of faults (-fnon-call-exceptions), out of constructors; C++20 coroutines; _Unwind_Backtrace and _Unwind_ForcedUnwind by hand.
 * build: -O2 -std=c++20 -fnon-call-exceptions -fexceptions
 * build: -O2 -std=c++20 -fnon-call-exceptions -fexceptions -static
 * build: -O0 -std=c++20 -fnon-call-exceptions -fexceptions -no-pie -fno-pie
 * also: flip
 * time: 60
 */
#include <coroutine>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <ucontext.h>
#include <unwind.h>
#include <vector>

static int destroyed;
struct Counted { ~Counted() { destroyed++; } };
static void done(const char *what) { std::printf("%s: %d destroyed\n", what, destroyed); destroyed = 0; }

/* Through C. */
static int compare(const void *a, const void *b)
{
	Counted c;
	if (*(const int *)a + *(const int *)b == 11)
		throw std::runtime_error("eleven");
	return *(const int *)a - *(const int *)b;
}
static void through_qsort()
{
	for (int i = 0; i < 200; i++) {
		int v[] = {9, 7, 3, 1, 5, 6, 4, 8};
		try {
			std::qsort(v, 8, sizeof *v, compare);
			std::puts("not thrown");
		} catch (const std::exception &) {
		}
	}
	done("qsort");
}

/* On a coroutine's stack. */
static ucontext_t back, inside;
__attribute__((noinline)) static void throwing(int depth)
{
	Counted c;
	if (!depth)
		throw depth;
	throwing(depth - 1);
	destroyed += 0;
}
static void on_other_stack()
{
	for (int i = 0; i < 10; i++) {
		try {
			throwing(i);
		} catch (int) {
			swapcontext(&inside, &back); /* in the middle of a catch */
		}
	}
}
static void contexts()
{
	static char stack[65536];
	getcontext(&inside);
	inside.uc_stack.ss_sp = stack;
	inside.uc_stack.ss_size = sizeof stack;
	inside.uc_link = &back;
	makecontext(&inside, on_other_stack, 0);
	for (int i = 0; i < 11; i++) {
		try {
			swapcontext(&back, &inside);
			throwing(3);
		} catch (int) {
		}
	}
	done("contexts");
}

/* Nested, and in destructors. */
struct Thrower {
	~Thrower()
	{
		try {
			throwing(4);
		} catch (int) {
			destroyed += 100;
		}
	}
};
static void nested()
{
	for (int i = 0; i < 100; i++)
		try {
			try {
				Thrower t;
				throwing(2);
			} catch (int) {
				try {
					throw std::string("second");
				} catch (const std::string &) {
					std::throw_with_nested(std::logic_error("third"));
				}
			}
		} catch (const std::logic_error &e) {
			try {
				std::rethrow_if_nested(e);
			} catch (const std::string &s) {
				destroyed += s.size();
			}
		}
	done("nested");
}

static void other_thread()
{
	std::exception_ptr carried;
	for (int i = 0; i < 20; i++) {
		std::thread([&] { try { throwing(5); } catch (...) { carried = std::current_exception(); } }).join();
		try {
			std::rethrow_exception(carried);
		} catch (int n) {
			destroyed += n + 1;
		}
	}
	done("other thread");
}

/* A fault becomes an exception. */
static void on_fault(int signal, siginfo_t *, void *)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_UNBLOCK, &set, nullptr);
	throw std::runtime_error(signal == SIGSEGV ? "memory" : "division");
}
static int *volatile nowhere;
static volatile int zero, got;
__attribute__((noinline)) static int faulting(int kind)
{
	Counted c;
	return kind ? *nowhere : 1000 / zero;
}
static void faults()
{
	struct sigaction a = {};
	size_t lengths = 0;
	a.sa_sigaction = on_fault;
	a.sa_flags = SA_SIGINFO;
	sigaction(SIGSEGV, &a, nullptr);
	sigaction(SIGFPE, &a, nullptr);
	for (int i = 0; i < 200; i++)
		try {
			got = faulting(i % 2);
		} catch (const std::runtime_error &e) {
			lengths += std::string(e.what()).size();
		}
	std::printf("%zu ", lengths);
	done("faults");
}

/* longjmp over frames without destructors, into and out of a try. */
static std::jmp_buf place;
static int turn;
__attribute__((noinline)) static int jump(int n)
{
	if (n)
		return jump(n - 1) + 1;
	std::longjmp(place, 1);
}
static void jumps()
{
	volatile int caught = 0;
	for (turn = 0; turn < 100; turn++)
		try {
			if (!setjmp(place))
				got = jump(turn % 10);
			else
				throwing(turn % 5);
		} catch (int) {
			caught = caught + 1;
		}
	std::printf("%d ", caught);
	done("jumps");
}

/* C++20 coroutines, one of which ends by an exception. */
struct Generator {
	struct promise_type {
		int value = 0;
		std::exception_ptr error;
		Generator get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
		std::suspend_always initial_suspend() noexcept { return {}; }
		std::suspend_always final_suspend() noexcept { return {}; }
		std::suspend_always yield_value(int v) { value = v; return {}; }
		void return_void() {}
		void unhandled_exception() { error = std::current_exception(); }
	};
	std::coroutine_handle<promise_type> handle;
	~Generator() { handle.destroy(); }
	bool next()
	{
		handle.resume();
		if (handle.promise().error)
			std::rethrow_exception(handle.promise().error);
		return !handle.done();
	}
};
static Generator generate(int n)
{
	Counted c;
	for (int i = 0; i < n; i++) {
		Counted inner;
		co_yield i * i;
	}
	throwing(n % 4);
}
static void coroutines()
{
	long sum = 0;
	for (int n = 0; n < 60; n++) {
		Generator g = generate(n);
		try {
			while (g.next())
				sum += g.handle.promise().value;
		} catch (int) {
			sum += 7;
		}
	}
	std::printf("%ld ", sum);
	done("coroutines");
}

/* By hand. */
static _Unwind_Reason_Code stop(int, _Unwind_Action, _Unwind_Exception_Class, struct _Unwind_Exception *, struct _Unwind_Context *c, void *target)
{
	if (_Unwind_GetCFA(c) > (uintptr_t)target)
		std::longjmp(place, 1);
	return _URC_NO_REASON;
}
__attribute__((noinline)) static void forced(int depth, void *target)
{
	static struct _Unwind_Exception e;
	Counted c;
	if (depth)
		forced(depth - 1, target);
	else
		_Unwind_ForcedUnwind(&e, stop, target);
	destroyed += 0;
}
static _Unwind_Reason_Code count(struct _Unwind_Context *, void *n) { ++*(int *)n; return _URC_NO_REASON; }
__attribute__((noinline)) static int depth_of(int n)
{
	volatile int frames = 0;
	if (n) {
		frames = depth_of(n - 1);
		return frames;
	}
	int found = 0;
	_Unwind_Backtrace(count, &found);
	return found;
}
static void by_hand()
{
	volatile char here = 0;
	for (turn = 0; turn < 50; turn++)
		if (!setjmp(place))
			forced(turn % 7, const_cast<char *>(&here));
	std::printf("deeper by %d, ", depth_of(30) - depth_of(10));
	done("forced");
}

int main()
{
	for (int round = 0; round < 3; round++) {
		through_qsort();
		contexts();
		nested();
		other_thread();
		faults();
		jumps();
		coroutines();
		by_hand();
	}
	std::puts("ok");
	return 0;
}
