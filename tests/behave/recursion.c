/* Recursion: wide (Ackermann, Fibonacci), mutual, and a hundred thousand frames deep.
 * build: -O2
 * build: -O0
 */
#include "behave.h"

static __attribute__((noinline)) long fibonacci(long n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
static __attribute__((noinline)) long ackermann(long m, long n)
{
	return !m ? n + 1 : !n ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}
static long is_odd(long n);
static __attribute__((noinline)) long is_even(long n) { return n ? is_odd(n - 1) + (n & 1) : 1; }
static __attribute__((noinline)) long is_odd(long n) { return n ? is_even(n - 1) * 3 % 7 : 0; }

int main(void)
{
	printf("%ld %ld %ld\n", fibonacci(27), ackermann(2, 300), is_even(50000));
	return passed();
}
