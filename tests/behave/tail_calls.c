/* Tail calls: direct, mutual, through pointers and tables, a million deep in constant stack.
 * build: -O2
 * build: -O2 -no-pie -fno-pie
 * build: clang -O2
 */
#include "behave.h"

typedef long step(long n, long sum);
static step even, odd, third;
static step *const steps[] = { even, odd, third };

static __attribute__((noinline)) long even(long n, long sum) { return n ? steps[n % 3](n - 1, sum + 2) : sum; }
static __attribute__((noinline)) long odd(long n, long sum) { return n ? even(n - 1, sum * 3 % 1000003) : sum; }
static __attribute__((noinline)) long third(long n, long sum) { step *volatile f = odd; return n ? f(n - 1, sum + n) : -sum; }

int main(void)
{
	printf("%ld %ld %ld\n", even(1000000, 1), odd(999999, 5), third(12345, 0));
	return passed();
}
